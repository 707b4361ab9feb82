/**
 * LISTEN_PID has to be the worker's own pid, which is not known before the fork: something sets it and then becomes the program by
 * exec, with the same pid. Pure.
 */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** A command with the environment that it is started with. */
export interface Start extends Command {
  readonly environment: Readonly<Record<string, string>>;
}

/** How to start Node.js with the program that does what the shell cannot (trampoline-main.ts). */
export interface NodeTrampoline {
  /** Absolute path of Node.js. */
  readonly node: string;
  /** Absolute path of the built program. */
  readonly script: string;
  /** There is a /bin/sh. */
  readonly hasShell: boolean;
}

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The command that sets LISTEN_PID and becomes `command`: a shell, which costs nothing. But a shell drops variables whose names it
 * cannot hold (`my.var`), and on the command line of env(1) every user of the machine could read their values. If there is one,
 * or no shell, Node.js does it, and they stay in the environment; it takes 50 ms.
 */
export function withListenPid(
  { file, args }: Command,
  environment: Readonly<Record<string, string>>,
  { node, script, hasShell }: NodeTrampoline,
): Start {
  if (hasShell && Object.keys(environment).every((name) => shellName.test(name)))
    return { file: '/bin/sh', args: ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', file, ...args], environment };
  return { file: node, args: [script, file, ...args], environment: heldBack(environment) };
}

const held = 'GRACEFUL_RUN_HELD_';
/** What the dynamic linker obeys at every exec, as it would in a shell. */
const obeyedByLinker = /^(LD|DYLD)_/;

/** Puts everything aside that Node.js would obey itself: NODE_OPTIONS, OPENSSL_CONF … */
function heldBack(environment: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(environment).map(
    ([name, value]) => [obeyedByLinker.test(name) ? name : `${held}${name}`, value] as const,
  );
  return Object.fromEntries(entries);
}

/** The program's environment again, from that of the process `pid` which becomes it. */
export function releasedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): Record<string, string> {
  const released = Object.entries(environment).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    if (name.startsWith(held)) return [[name.slice(held.length), value]];
    return obeyedByLinker.test(name) ? [[name, value]] : [];
  });
  // Not by assignment: a variable may be called `__proto__`.
  return { ...Object.fromEntries(released), LISTEN_PID: String(pid) };
}
