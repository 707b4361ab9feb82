/** Commands that start what a package.json names: `npm start`, `yarn serve`, `node --run dev`, `npx tsx app.ts`. Pure. */
import { interpreterNamed } from './interpreters.ts';
import { isAssignment } from './split-words.ts';

export type PackageCommand =
  /** A script of package.json. `orCommand`: the words to run as a command if there is no such script. */
  | {
      readonly kind: 'script';
      readonly name: string;
      readonly folder: string | null;
      readonly orCommand: readonly string[] | null;
    }
  /** A command looked up in node_modules/.bin first. */
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly folder: string | null };

interface Manager {
  /** Options with a value in the next word; those in `folders` choose another package. */
  readonly values: ReadonlySet<string>;
  readonly runVerbs: ReadonlySet<string>;
  readonly execVerbs: ReadonlySet<string>;
  /** Whether `manager name` is short for `manager run name`. */
  readonly isRunImplied: boolean;
}

const set = (...words: readonly string[]): ReadonlySet<string> => new Set(words);
const folders = set('--prefix', '-C', '--cwd', '--dir');
const values = set(
  ...folders,
  '-w',
  '--workspace',
  '--filter',
  '-F',
  '-p',
  '--package',
  '--loglevel',
  '--script-shell',
);

const managers: Readonly<Record<string, Manager>> = {
  npm: {
    values,
    runVerbs: set('run', 'run-script', 'rum', 'urn'),
    execVerbs: set('exec', 'x'),
    isRunImplied: false,
  },
  yarn: { values, runVerbs: set('run'), execVerbs: set('exec', 'dlx'), isRunImplied: true },
  pnpm: { values, runVerbs: set('run', 'run-script'), execVerbs: set('exec', 'dlx'), isRunImplied: true },
  npx: { values, runVerbs: set(), execVerbs: set(), isRunImplied: false },
  pnpx: { values, runVerbs: set(), execVerbs: set(), isRunImplied: false },
  bunx: { values, runVerbs: set(), execVerbs: set(), isRunImplied: false },
};

/** The package command that the words stand for, or null. `name`: the first word without its folder. */
export function packageCommand(name: string, args: readonly string[]): PackageCommand | null {
  if (name === 'node' || name === 'nodejs') return nodeRun(args);
  const manager = Object.hasOwn(managers, name) ? managers[name] : undefined;
  if (manager === undefined) return null;
  const first = skipOptions(args, manager);
  const [verb, ...rest] = first.words;
  if (verb === undefined) return null;
  const folder = first.folder;
  if (name.endsWith('x')) return { kind: 'command', words: first.words, folder };
  if (verb === 'start')
    return {
      kind: 'script',
      name: 'start',
      folder: folder ?? skipOptions(rest, manager).folder,
      orCommand: null,
    };
  if (manager.runVerbs.has(verb) || manager.execVerbs.has(verb)) {
    const second = skipOptions(rest, manager);
    const [target] = second.words;
    if (target === undefined) return null;
    if (manager.execVerbs.has(verb))
      return { kind: 'command', words: second.words, folder: folder ?? second.folder };
    return {
      kind: 'script',
      name: target,
      folder: folder ?? second.folder ?? skipOptions(second.words.slice(1), manager).folder,
      orCommand: null,
    };
  }
  return manager.isRunImplied ? { kind: 'script', name: verb, folder, orCommand: first.words } : null;
}

/** Finds the script of `node --run`. Other switches may come first. Node.js applies none of them to the script, not even --env-file (nodejs/node#62988). */
function nodeRun(args: readonly string[]): PackageCommand | null {
  const node = interpreterNamed('node');
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const name = word === '--run' ? args[index + 1] : /^--run=(.+)$/.exec(word)?.[1];
    if (name !== undefined) return { kind: 'script', name, folder: null, orCommand: null };
    const isSwitch = word.startsWith('-') && word !== '-' && word !== '--';
    if (!isSwitch || node?.scriptless.has(word) === true) return null;
    if (node?.values.has(word) === true) index += 1;
  }
  return null;
}

/** The arguments from the first one that is not an option, and the directory that an option before it names. */
function skipOptions(
  args: readonly string[],
  manager: Manager,
): { readonly words: readonly string[]; readonly folder: string | null } {
  let folder: string | null = null;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const [option = '', glued] = word.split('=', 2);
    if (word === '--') return { words: args.slice(index + 1), folder };
    if (!word.startsWith('-')) return { words: args.slice(index), folder };
    if (folders.has(option)) folder = glued ?? args[index + 1] ?? null;
    if (manager.values.has(word)) index += 1;
  }
  return { words: [], folder };
}

/** Commands that only prepare something and then run the rest of their words, each with its options that take a value. */
const wrappers: Readonly<Record<string, ReadonlySet<string>>> = {
  env: set('-u', '--unset', '-C', '--chdir'),
  'cross-env': set(),
  exec: set('-a'),
  nice: set('-n', '--adjustment'),
  nohup: set(),
  setsid: set(),
  time: set(),
  command: set(),
};

/** The command inside `FOO=1 env BAR=2 nice -n 5 node app.js`: `node app.js`. */
export function unwrapCommand(words: readonly string[]): readonly string[] {
  let rest = words;
  for (;;) {
    while (isAssignment(rest[0] ?? '')) rest = rest.slice(1);
    const [word = ''] = rest;
    const base = word.slice(word.lastIndexOf('/') + 1);
    const options = Object.hasOwn(wrappers, base) ? wrappers[base] : undefined;
    if (options === undefined) return rest;
    rest = rest.slice(1);
    for (let option = rest[0]; option?.startsWith('-') === true; option = rest[0])
      rest = rest.slice(options.has(option) ? 2 : 1);
  }
}
