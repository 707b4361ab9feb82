// The rules that a machine can check: no dropped promise, exhaustive switches. Which file may import which: .dependency-cruiser.cjs.
import { readdirSync } from 'node:fs';
import { pureFiles } from './scripts/pure-files.cjs';

const patterns = pureFiles.map((pattern) => new RegExp(pattern));
const pure = readdirSync('src', { recursive: true })
  .map((file) => `src/${file}`)
  .filter((file) => file.endsWith('.ts') && patterns.some((pattern) => pattern.test(file)));

const all = (level, names) =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, level]),
  );

/** What eslint calls recommended. */
const recommended = all(
  'error',
  `
  constructor-super for-direction getter-return no-async-promise-executor no-case-declarations no-class-assign no-compare-neg-zero no-cond-assign
  no-const-assign no-constant-binary-expression no-constant-condition no-control-regex no-debugger no-delete-var no-dupe-class-members no-dupe-else-if
  no-dupe-keys no-duplicate-case no-empty no-empty-character-class no-empty-pattern no-empty-static-block no-ex-assign no-extra-boolean-cast
  no-fallthrough no-func-assign no-global-assign no-import-assign no-invalid-regexp no-irregular-whitespace no-loss-of-precision
  no-misleading-character-class no-new-native-nonconstructor no-nonoctal-decimal-escape no-obj-calls no-prototype-builtins no-redeclare no-regex-spaces
  no-self-assign no-setter-return no-shadow-restricted-names no-sparse-arrays no-this-before-super no-unassigned-vars no-undef no-unexpected-multiline
  no-unreachable no-unsafe-finally no-unsafe-negation no-unsafe-optional-chaining no-unused-labels no-unused-private-class-members no-unused-vars
  no-useless-assignment no-useless-backreference no-useless-catch no-useless-escape no-with preserve-caught-error require-yield use-isnan valid-typeof
`,
);

/** What typescript-eslint calls strict, with the rules that need types. */
const strict = all(
  'error',
  `
  no-array-constructor no-unused-expressions no-useless-constructor no-var prefer-const prefer-rest-params prefer-spread
  typescript/await-thenable typescript/no-array-delete typescript/no-base-to-string typescript/no-confusing-void-expression typescript/no-deprecated
  typescript/no-duplicate-enum-values typescript/no-duplicate-type-constituents typescript/no-dynamic-delete typescript/no-empty-object-type
  typescript/no-explicit-any typescript/no-extra-non-null-assertion typescript/no-extraneous-class typescript/no-floating-promises
  typescript/no-for-in-array typescript/no-generated-empty-object-type typescript/no-implied-eval typescript/no-invalid-void-type
  typescript/no-meaningless-void-operator typescript/no-misused-new typescript/no-misused-promises typescript/no-misused-spread typescript/no-mixed-enums
  typescript/no-namespace typescript/no-non-null-asserted-nullish-coalescing typescript/no-non-null-asserted-optional-chain
  typescript/no-non-null-assertion typescript/no-redundant-type-constituents typescript/no-require-imports typescript/no-this-alias
  typescript/no-unnecessary-boolean-literal-compare typescript/no-unnecessary-condition typescript/no-unnecessary-template-expression
  typescript/no-unnecessary-type-arguments typescript/no-unnecessary-type-assertion typescript/no-unnecessary-type-constraint
  typescript/no-unnecessary-type-conversion typescript/no-unnecessary-type-parameters typescript/no-unsafe-argument typescript/no-unsafe-assignment
  typescript/no-unsafe-call typescript/no-unsafe-declaration-merging typescript/no-unsafe-enum-comparison typescript/no-unsafe-function-type
  typescript/no-unsafe-member-access typescript/no-unsafe-return typescript/no-unsafe-unary-minus typescript/no-useless-default-assignment
  typescript/no-wrapper-object-types typescript/only-throw-error typescript/prefer-as-const typescript/prefer-literal-enum-member
  typescript/prefer-namespace-keyword typescript/prefer-promise-reject-errors typescript/prefer-reduce-type-parameter
  typescript/prefer-return-this-type typescript/related-getter-setter-pairs typescript/require-await typescript/switch-exhaustiveness-check
  typescript/triple-slash-reference typescript/unbound-method typescript/unified-signatures typescript/use-unknown-in-catch-callback-variable
  typescript/consistent-type-imports
`,
);

/** What the compiler itself reports. */
const ofCompiler = all(
  'off',
  `constructor-super getter-return no-class-assign no-const-assign no-dupe-class-members no-dupe-keys no-func-assign no-import-assign
  no-new-native-nonconstructor no-obj-calls no-redeclare no-setter-return no-this-before-super no-undef no-unreachable no-unsafe-negation no-with`,
);

const globals = [
  'AbortController',
  'Buffer',
  'URL',
  '__dirname',
  '__filename',
  'clearInterval',
  'clearTimeout',
  'console',
  'exports',
  'fetch',
  'performance',
  'process',
  'require',
  'setImmediate',
  'setInterval',
  'setTimeout',
];

export default {
  plugins: ['typescript'],
  categories: { correctness: 'off' },
  options: { typeAware: true },
  env: { builtin: true },
  ignorePatterns: [
    'dist/**',
    'coverage/**',
    '**/node_modules/**',
    '.matrix/**',
    'bench/results/**',
    // A user's project, which test/package/types.test.ts compiles.
    'test/fixtures/types/**',
  ],
  rules: recommended,
  overrides: [
    {
      files: ['**/*.{js,cjs,mjs}'],
      globals: {
        ...Object.fromEntries(globals.map((name) => [name, 'readonly'])),
        module: 'writable',
      },
    },
    {
      files: ['**/*.{ts,mts}'],
      rules: {
        ...strict,
        ...ofCompiler,
        'typescript/ban-ts-comment': ['error', { minimumDescriptionLength: 10 }],
        'typescript/consistent-type-assertions': ['error', { assertionStyle: 'as' }],
        'typescript/consistent-type-definitions': ['error', 'interface'],
        'typescript/restrict-plus-operands': [
          'error',
          {
            allowAny: false,
            allowBoolean: false,
            allowNullish: false,
            allowNumberAndString: false,
            allowRegExp: false,
          },
        ],
        'typescript/restrict-template-expressions': ['error', { allowNumber: true }],
        'typescript/return-await': ['error', 'error-handling-correctness-only'],
      },
    },
    {
      files: pure,
      rules: {
        'no-restricted-globals': [
          'error',
          ...[
            'process',
            'performance',
            'Date',
            'setTimeout',
            'setInterval',
            'setImmediate',
            'queueMicrotask',
          ].map((name) => ({ name, message: 'This file is pure: it takes what it needs as an argument.' })),
        ],
        'no-restricted-properties': [
          'error',
          {
            object: 'Math',
            property: 'random',
            message: 'This file is pure: it takes random numbers as an argument.',
          },
        ],
      },
    },
  ],
};
