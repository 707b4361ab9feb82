/**
 * What each interpreter's command line looks like: which options take a value, and which mean that there is no script. Pure.
 * Whatever is not in the table is the program itself.
 */

interface Interpreter {
  /** Options whose value is the next word. (`--name=value` needs no entry, nor does a value that is glued to a short option.) */
  readonly values: ReadonlySet<string>;
  /** Options that replace the script: code on the command line, a module's name. */
  readonly scriptless: ReadonlySet<string>;
  /** First words that come before the script: `run` in `deno run app.ts`. */
  readonly verbs: ReadonlySet<string>;
  /** Endings that the interpreter tries if the file does not exist under the given name, in this order. */
  readonly suffixes: readonly string[];
  /** Files that the interpreter runs if the name is a directory, in this order. Node.js looks into package.json before. */
  readonly directoryFiles: readonly string[];
  readonly readsPackage: boolean;
  readonly isShell: boolean;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' ').filter((word) => word !== ''));

const nodeValues =
  '-r --require --import --loader --experimental-loader -C --conditions --env-file --env-file-if-exists --inspect-port --debug-port ' +
  '--max-old-space-size --max-semi-space-size --stack-trace-limit --title --icu-data-dir --openssl-config --disable-warning ' +
  '--input-type --experimental-default-type --redirect-warnings --diagnostic-dir --dns-result-order --unhandled-rejections ' +
  '--watch-path --cpu-prof-dir --heap-prof-dir --report-dir --report-directory --report-filename --tls-cipher-list ' +
  '--max-http-header-size --trace-event-categories --secure-heap --localstorage-file --watch-kill-signal';
const nodeSuffixes = ['.js', '.json', '.node'];
const typescriptSuffixes = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'];

const node: Interpreter = {
  values: words(nodeValues),
  scriptless: words('-e --eval -p --print -pe -i --interactive --test -v --version -h --help'),
  verbs: new Set(),
  suffixes: nodeSuffixes,
  directoryFiles: ['index.js'],
  readsPackage: true,
  isShell: false,
};

const typescript: Interpreter = {
  ...node,
  suffixes: typescriptSuffixes,
  directoryFiles: ['index.ts', 'index.js'],
};

const plain: Interpreter = {
  values: new Set(),
  scriptless: new Set(),
  verbs: new Set(),
  suffixes: [],
  directoryFiles: [],
  readsPackage: false,
  isShell: false,
};

const shell: Interpreter = {
  ...plain,
  isShell: true,
  values: words('-o +o -O +O --rcfile --init-file'),
  scriptless: words('-c -s'),
};

const interpreters: Readonly<Record<string, Interpreter>> = {
  node,
  nodejs: node,
  tsx: { ...typescript, values: words(`${nodeValues} --tsconfig`), verbs: words('watch') },
  'ts-node': {
    ...typescript,
    values: words(`${nodeValues} -P --project -O --compilerOptions -I --ignore --cwd --scopeDir`),
  },
  bun: {
    ...typescript,
    values: words(
      '-r --preload --import -c --config --cwd --env-file --port -d --define --tsconfig-override --inspect-port -F --filter',
    ),
    verbs: words('run'),
  },
  deno: {
    ...plain,
    values: words('-c --config --import-map --env-file --location -L --log-level --seed --cert --lock --ext'),
    verbs: words('run serve'),
    scriptless: words('eval repl test task'),
  },
  python: {
    ...plain,
    values: words('-W -X --check-hash-based-pycs'),
    scriptless: words('-c -m -V --version'),
    directoryFiles: ['__main__.py'],
  },
  pypy: { ...plain, values: words('-W -X'), scriptless: words('-c -m'), directoryFiles: ['__main__.py'] },
  ruby: { ...plain, values: words('-r -I -C -E --encoding -W'), scriptless: words('-e -v --version') },
  perl: { ...plain, values: words('-I'), scriptless: words('-e -E -v') },
  php: { ...plain, values: words('-c -d -S -t -z'), scriptless: words('-r -a -i -v -R -B') },
  sh: shell,
  bash: shell,
  dash: shell,
  zsh: shell,
  ksh: shell,
};

/** The interpreter with this name (`python3.11` is Python), or null if there is none. */
export function interpreterNamed(name: string): Interpreter | null {
  // Object.hasOwn(), because a program may be called `constructor`.
  const known = [name, name.replace(/[\d.]+$/, '')].find((one) => Object.hasOwn(interpreters, one));
  return known === undefined ? null : (interpreters[known] ?? null);
}

/** The script among the arguments of an interpreter, or null if none of them is one. */
export function scriptAmong(args: readonly string[], interpreter: Interpreter): string | null {
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    if (interpreter.scriptless.has(word)) return null;
    if (interpreter.values.has(word)) index += 1;
    else if (word === '--') return args[index + 1] ?? null;
    else if (word === '-') return null;
    else if (word.startsWith('-') || word.startsWith('+') || interpreter.verbs.has(word)) continue;
    else return /^[a-z]+:\/\//.test(word) ? null : word;
  }
  return null;
}
