// The rules of the house that a machine can keep: no dropped promise, total switches, and which folder may import which.
import js from '@eslint/js';
import ts from 'typescript-eslint';

/** Files in `folder` may not import from the other folders of src/. */
const fence = (files, forbidden, message) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group: forbidden, message }] }] },
});

export default ts.config(
  { ignores: ['dist/**', 'coverage/**', '**/node_modules/**', '.matrix/**', 'bench/results/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [ts.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'as' }],
    },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        setImmediate: 'readonly',
        clearInterval: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        require: 'readonly',
        module: 'writable',
        Buffer: 'readonly',
        AbortController: 'readonly',
        __dirname: 'readonly',
        __filename: 'readonly',
        performance: 'readonly',
      },
    },
  },
  fence(
    ['src/shared/**'],
    ['**/master/**', '**/worker/**', '**/ctl/**', '**/web/**'],
    'shared imports nobody',
  ),
  fence(['src/master/**'], ['**/worker/**', '**/ctl/**', '**/web/**'], 'the master imports shared only'),
  fence(
    ['src/worker/**'],
    ['**/master/**', '**/ctl/**', '**/web/**', 'zod', 'zod/*'],
    'the worker imports shared only',
  ),
  fence(['src/ctl/**'], ['**/master/**', '**/worker/**', '**/web/**'], 'ctl imports shared only'),
  fence(
    ['src/master/lifecycle/**'],
    ['node:*', '**/shell/**', '**/control/**', '**/cli/**', '**/watch/**', '**/worker/**', '**/ctl/**'],
    'the lifecycle is pure: no node:*, no clock, no timer',
  ),
);
