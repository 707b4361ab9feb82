/**
 * Settings that are possible only in the worker's own process, before it becomes the program by exec, with the same pid: LISTEN_PID and WATCHDOG_PID,
 * which are not known before the fork; the umask; and variables that the programs which set its user must not obey. Pure.
 */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** A command with the environment that it is started with. */
export interface Start extends Command {
  readonly environment: Readonly<Record<string, string>>;
}

/** How to start Node.js with the program that does what a shell cannot do (trampoline-main.ts). */
export interface NodeTrampoline {
  /** Absolute path of Node.js. */
  readonly node: string;
  /** Absolute path of the built program. */
  readonly script: string;
  /** Whether there is a /bin/sh. */
  readonly hasShell: boolean;
}

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What the trampoline does before it becomes the command. */
export interface Preparation {
  readonly setsListenPid: boolean;
  /** Default: false. */
  readonly setsWatchdogPid?: boolean;
  /** The umask to set, or null to leave it as it is. */
  readonly umask: number | null;
  /** Whether programs that run as root come before the trampoline: they have the environment of the worker, and must not obey it. */
  readonly comesAfterRoot: boolean;
}

/**
 * The command that makes these settings and becomes `command`. It is a shell, which costs nothing, if that is possible. But a shell drops variables whose
 * names it cannot hold (`my.var`), and on the command line of env(1) every user of the machine could read their values. If there is such a variable, or no
 * shell, Node.js does it instead, which keeps them in the environment and takes 50 ms. If there is nothing to set, it is `command` itself.
 */
export function throughTrampoline(
  command: Command,
  environment: Readonly<Record<string, string>>,
  { setsListenPid, setsWatchdogPid = false, umask, comesAfterRoot }: Preparation,
  { node, script, hasShell }: NodeTrampoline,
): Start {
  const kept = comesAfterRoot ? Object.keys(environment).filter((name) => obeyedByRoot.test(name)) : [];
  if (!setsListenPid && !setsWatchdogPid && umask === null && kept.length === 0)
    return { ...command, environment };
  const { file, args } = command;
  if (!hasShell || !Object.keys(environment).every((name) => shellName.test(name)))
    return {
      file: node,
      args: [script, file, ...args],
      environment: {
        ...heldBack(environment, comesAfterRoot),
        ...(umask === null ? {} : { [umaskName]: String(umask) }),
        ...(setsWatchdogPid ? { [watchdogName]: '1' } : {}),
      },
    };
  const steps = [
    ...(umask === null ? [] : [`umask ${umask.toString(8).padStart(3, '0')}`]),
    ...kept.map((name) => `export ${name}="$${held}${name}"; unset ${held}${name}`),
    `${setsListenPid ? 'LISTEN_PID=$$ ' : ''}${setsWatchdogPid ? 'WATCHDOG_PID=$$ ' : ''}exec "$@"`,
  ];
  const renamed = Object.entries(environment).map(
    ([name, value]) => [kept.includes(name) ? `${held}${name}` : name, value] as const,
  );
  return {
    file: '/bin/sh',
    args: ['-c', steps.join('; '), 'sh', file, ...args],
    environment: Object.fromEntries(renamed),
  };
}

/** As throughTrampoline(), with nothing but LISTEN_PID to set. */
export function withListenPid(
  command: Command,
  environment: Readonly<Record<string, string>>,
  trampoline: NodeTrampoline,
): Start {
  return throughTrampoline(
    command,
    environment,
    { setsListenPid: true, umask: null, comesAfterRoot: false },
    trampoline,
  );
}

const held = 'GRACEFUL_RUN_HELD_';
const umaskName = 'GRACEFUL_RUN_UMASK';
const watchdogName = 'GRACEFUL_RUN_WATCHDOG_PID';
/** Variables that the dynamic linker obeys at every exec. They stay, as they would in a shell. */
const obeyedByLinker = /^(LD|DYLD)_/;
/** Variables that the system's libraries ignore in a program with more privileges than its user: secure-execution mode of ld.so(8). */
const obeyedByRoot =
  /^(LD_.*|DYLD_.*|GCONV_PATH|GETCONF_DIR|GLIBC_TUNABLES|HOSTALIASES|LANGUAGE|LOCALDOMAIN|LOCPATH|MALLOC_.*|NIS_PATH|NLSPATH|RESOLV_HOST_CONF|RES_OPTIONS|TMPDIR|TZDIR)$/;

/** Renames the variables that Node.js itself would obey: NODE_OPTIONS, OPENSSL_CONF … */
function heldBack(
  environment: Readonly<Record<string, string>>,
  comesAfterRoot: boolean,
): Record<string, string> {
  const entries = Object.entries(environment).map(
    ([name, value]) =>
      [obeyedByLinker.test(name) && !comesAfterRoot ? name : `${held}${name}`, value] as const,
  );
  return Object.fromEntries(entries);
}

/** The umask to set in the process that becomes the program; null to leave it as it is. */
export function umaskOf(environment: Readonly<Record<string, string | undefined>>): number | null {
  const written = environment[umaskName];
  return written === undefined ? null : Number(written);
}

/** The environment of the program, restored from that of the process `pid` which becomes the program. */
export function releasedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): Record<string, string> {
  const released = Object.entries(environment).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    if (name.startsWith(held)) return [[name.slice(held.length), value]];
    return obeyedByLinker.test(name) ? [[name, value]] : [];
  });
  // Object.fromEntries() instead of assignments, because a variable may be called `__proto__`.
  return {
    ...Object.fromEntries(released),
    LISTEN_PID: String(pid),
    ...(environment[watchdogName] === undefined ? {} : { WATCHDOG_PID: String(pid) }),
  };
}
