/** The options of a worker's process: its user, its limits, its place among other processes. How they are written, and what they become in a plan. Pure. */
import { defaults } from './defaults.ts';

/** The options of a worker's process in code. */
export interface ProcessOptions {
  /**
   * The user to run as, by name or number, and the group if it is not the user's own: `www-data`, `www-data:web`, `33:33`. With the supplementary
   * groups of the user, and HOME, USER, LOGNAME and SHELL after its entry in passwd(5). graceful-run has to be root. Default: the user of the master.
   */
  readonly user?: string;
  /** The file mode creation mask in octal digits: `027`. Default: the master's. */
  readonly umask?: string;
  /** The nice value, -20 (most favoured) to 19. A value below that of the master requires root. Default: the master's. */
  readonly nice?: number;
  /**
   * Resource limits by their names in prlimit(1), `nofile` or `nproc` for example: a number for both the soft and the hard limit, `unlimited`, or
   * `SOFT:HARD`. Raising a hard limit requires root. Default: the master's.
   */
  readonly limits?: Readonly<Record<string, string | number>>;
  /** No process of the worker can gain privileges by executing a file: set-user-ID programs do not work (PR_SET_NO_NEW_PRIVS). Default false. */
  readonly noNewPrivileges?: boolean;
  /** The CPUs that it may run on, as taskset(1) lists them: `0-3,6`. Default: the master's. */
  readonly cpuAffinity?: string;
  /** How readily the kernel kills it when memory runs out, -1000 (never) to 1000 (first). Lowering it requires root. Default: the master's. */
  readonly oomScoreAdj?: number;
}

/** The process of a worker in a plan. Null: the process has what the master has. */
export interface ProcessPlan {
  readonly user: string | null;
  readonly umask: number | null;
  readonly nice: number | null;
  /** The limits by their names in prlimit(1), with values as that takes them. */
  readonly limits: Readonly<Record<string, string>>;
  readonly noNewPrivileges: boolean;
  readonly cpuAffinity: string | null;
  readonly oomScoreAdj: number | null;
}

/** The process of a program that sets none of these options. */
export const plainProcess: ProcessPlan = Object.freeze({
  user: null,
  umask: null,
  nice: null,
  limits: Object.freeze({}),
  noNewPrivileges: defaults.noNewPrivileges,
  cpuAffinity: null,
  oomScoreAdj: null,
});

/** The names of the limits: the options of prlimit(1) without their dashes. */
export const limitNames = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
] as const;

/** Patterns of values, for the checks and for the JSON Schema. */
export const processPatterns = {
  user: '[\\w.$@-]+(?::[\\w.$@-]+)?',
  umask: '0?[0-7]{3}',
  limit: '(?:\\d{1,19}|unlimited)(?::(?:\\d{1,19}|unlimited))?',
  cpus: '\\d{1,5}(?:-\\d{1,5}(?::\\d{1,5})?)?(?:,\\d{1,5}(?:-\\d{1,5}(?::\\d{1,5})?)?)*',
} as const;

type Written = { readonly [Name in keyof ProcessOptions]?: ProcessOptions[Name] | undefined };

/** Compiles the options of a process. `written` was checked by `processValues` (launch-values.ts). */
export function compileProcess(written: Written): ProcessPlan {
  const { user, umask, nice, limits, noNewPrivileges, cpuAffinity, oomScoreAdj } = written;
  const asked = [user, umask, nice, limits, noNewPrivileges, cpuAffinity, oomScoreAdj];
  if (asked.every((value) => value === undefined)) return plainProcess;
  return Object.freeze({
    user: user ?? null,
    umask: umask === undefined ? null : Number.parseInt(umask, 8),
    nice: nice ?? null,
    limits: Object.freeze(
      Object.fromEntries(Object.entries(limits ?? {}).map(([name, value]) => [name, String(value)])),
    ),
    noNewPrivileges: noNewPrivileges ?? defaults.noNewPrivileges,
    cpuAffinity: cpuAffinity ?? null,
    oomScoreAdj: oomScoreAdj ?? null,
  });
}
