/**
 * Which signal makes a program that is not Node.js drain: stop accepting, finish its requests, exit. The operator names it, or it follows
 * from what is run. Pure.
 */
import { interpreterNamed, scriptAmong } from './interpreters.ts';
import { unwrapCommand } from './package-commands.ts';
import { lastCommand } from './split-words.ts';

/** The signals, without `SIG`, that a program can handle and that are meant to tell it something. */
export const drainSignalNames = [
  'TERM',
  'INT',
  'QUIT',
  'HUP',
  'USR1',
  'USR2',
  'WINCH',
  'ALRM',
  'TSTP',
] as const;

export type SignalName = (typeof drainSignalNames)[number];

/** The forms in which options name a signal: `auto`, `none`, `QUIT`, `SIGQUIT`. */
export type DrainSignalOption = 'auto' | 'none' | SignalName | `SIG${SignalName}`;

/** The drain signal in a plan. `auto`: the one that suits the command. `none`: the program drains on no signal. */
export type DrainSignal = 'auto' | 'none' | `SIG${SignalName}`;

/** Parses the option for the drain signal; null if it is not valid. */
export function parseDrainSignal(written: string): DrainSignal | null {
  if (written === 'auto' || written === 'none') return written;
  const name = drainSignalNames.find((one) => written === one || written === `SIG${one}`);
  return name === undefined ? null : `SIG${name}`;
}

/**
 * The signals on which programs drain, by the name of their executable, script or module; for plackup also by the server that it runs. SIGQUIT would
 * be wrong for most other programs: a JVM dumps its threads, a Go program dumps and exits, gunicorn cuts its requests.
 */
export const drainPresets: Readonly<Record<string, `SIG${SignalName}`>> = {
  apache2: 'SIGWINCH',
  gunicorn: 'SIGTERM',
  haproxy: 'SIGUSR1',
  httpd: 'SIGWINCH',
  hypercorn: 'SIGTERM',
  java: 'SIGTERM',
  lighttpd: 'SIGINT',
  nginx: 'SIGQUIT',
  'php-fpm': 'SIGQUIT',
  'plackup -s Starman': 'SIGQUIT',
  puma: 'SIGTERM',
  starman: 'SIGQUIT',
  // It passes SIGTERM on, or the signal of its --signal-on-term.
  start_server: 'SIGTERM',
  unicorn: 'SIGQUIT',
  uvicorn: 'SIGTERM',
};

/** The drain signal of every other program. */
export const otherDrainSignal = 'SIGTERM';

/** How deep commands within commands are followed, so that a line that names itself comes to an end. */
const maxDepth = 10;

/** The drain signal for a command. `command`: its words as they are run. */
export function drainSignalFor(command: readonly string[], depth: number = maxDepth): `SIG${SignalName}` {
  const [name, ...args] = unwrapCommand(command);
  if (name === undefined || depth === 0) return otherDrainSignal;
  const base = lastPart(name);
  if (base === 'bundle' && args[0] === 'exec') return drainSignalFor(args.slice(1), depth - 1);
  const interpreter = interpreterNamed(base);
  if (interpreter === null) return presetOf(base, args);
  if (interpreter.isShell) {
    const line = args[0]?.startsWith('-') === true && args[0].endsWith('c') ? args[1] : undefined;
    return line === undefined ? otherDrainSignal : drainSignalFor(lastCommand(line), depth - 1);
  }
  const script = moduleAmong(args, interpreter) ?? scriptAmong(args, interpreter);
  return script === null
    ? otherDrainSignal
    : presetOf(lastPart(script), args.slice(args.indexOf(script) + 1));
}

/** The module that the interpreter runs, as in `python3 -m gunicorn app:app`; null if there is none. */
function moduleAmong(
  args: readonly string[],
  { scriptless, values }: Pick<NonNullable<ReturnType<typeof interpreterNamed>>, 'scriptless' | 'values'>,
): string | null {
  if (!scriptless.has('-m')) return null;
  for (let index = 0; args[index]?.startsWith('-') === true; index += 1) {
    const word = args[index] ?? '';
    if (word === '-m') return args[index + 1] ?? null;
    if (values.has(word)) index += 1;
  }
  return null;
}

/** The preset for a name with or without a version: `php-fpm8.2` is php-fpm. */
function presetOf(name: string, args: readonly string[]): `SIG${SignalName}` {
  const server = name === 'plackup' ? plackServer(args) : null;
  const whole = server === null ? name : `${name} -s ${server}`;
  for (const known of [whole, name.replace(/[-.]?\d[\d.]*$/, '')])
    if (Object.hasOwn(drainPresets, known)) return drainPresets[known] ?? otherDrainSignal;
  return otherDrainSignal;
}

/** The server that plackup is told to run: `-s Starman`, `--server=Starman`. Null if the command does not name one. */
function plackServer(args: readonly string[]): string | null {
  for (const [index, word] of args.entries()) {
    const [option = '', glued] = word.split('=', 2);
    if (/^(-s|--?server)$/.test(option)) return glued ?? args[index + 1] ?? null;
  }
  return null;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
