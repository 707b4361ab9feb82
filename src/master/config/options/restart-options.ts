/** The options that say whether and when workers that have ended are started again, and what they become in a plan. Pure. */
import { parseDuration } from '../../../shared/durations.ts';
import type { RestartPlan } from '../plan.ts';
import type { KindPlan } from './kind-options.ts';
import { defaults, defaultsOfOnly, defaultsOfType } from './defaults.ts';

/** The restart options in code. */
export interface RestartOptions {
  /**
   * Whether a worker that was ready and has ended by itself is replaced: `unexpected`, unless it has ended with one of `exitcodes`. Default: true for a
   * server, because clients wait in the queues of its listeners; `unexpected` for a `worker`; false for a `oneshot`.
   */
  readonly autorestart?: boolean | 'unexpected';
  /** Exit codes with which a worker has done its work, 0 to 255. Default: 0. */
  readonly exitcodes?: readonly number[];
  /**
   * How often a start is tried again in which no worker has become ready, 0 to 1000000; then the program has failed. Clients wait meanwhile.
   * Default: 3, and 0 for a `oneshot` and for the only program of a master without a config file.
   */
  readonly startretries?: number;
  /** The pauses between starts that fail: `exponential` (1s, 2s, 4s …) or `linear` (1s, 2s, 3s …). Default: `exponential`. */
  readonly backoff?: 'exponential' | 'linear';
  /** The longest of these pauses, 1s to 24h. Default 30s. */
  readonly backoffMax?: string;
  /**
   * How many deaths of workers are too many, such as `10 in 5m`: after that, the workers that die are not replaced, and the program has failed
   * when none is left. `off`: workers are always replaced. Default: `off`.
   */
  readonly crashLoop?: string;
  /**
   * What the master does when the program has failed. `exit`: it stops everything and ends with the exit code of the program's last worker, or 128 and the
   * number of the signal that ended it. `stay`: it keeps running, and the program can be started again. Default: `stay`; without a config file, the master
   * of an only program ends with code 1.
   */
  readonly onFatal?: 'stay' | 'exit';
}

/** The same options once their values are checked. */
export interface RestartValues {
  readonly autorestart: boolean | string;
  readonly exitcodes: number[];
  readonly startretries: number;
  readonly backoff: string;
  readonly backoffMax: string;
  readonly crashLoop: string;
  readonly onFatal: string;
}

export const autorestartWords: readonly string[] = ['true', 'false', 'unexpected'];
export const backoffWords: readonly string[] = ['exponential', 'linear'];
export const onFatalWords: readonly string[] = ['stay', 'exit'];
/** Parses `10 in 5m`. Returns null for `off`, and undefined if the text is not valid. */
export function parseCrashLoop(written: string): RestartPlan['crashLoop'] | undefined {
  if (written === 'off') return null;
  const [, deaths = '', window = ''] = /^(\d{1,6}) +in +(\S+)$/.exec(written.trim()) ?? [];
  const windowMs = parseDuration(window);
  if (Number(deaths) < 1 || windowMs === null || windowMs < 1) return undefined;
  return { deaths: Number(deaths), windowMs };
}

/** Compiles the restart options. `isOnly`: the program is the only one of a master without a config file. */
export function restartPlan(
  options: { readonly [Name in keyof RestartValues]?: RestartValues[Name] | undefined },
  type: KindPlan['type'],
  isOnly: boolean,
): RestartPlan {
  const own = { ...defaults, ...(isOnly ? defaultsOfOnly : {}), ...defaultsOfType[type] };
  const autorestart = String(options.autorestart ?? own.autorestart);
  return Object.freeze({
    autorestart: autorestart === 'true' ? 'always' : autorestart === 'false' ? 'never' : 'unexpected',
    exitCodes: Object.freeze(options.exitcodes ?? own.exitcodes),
    startRetries: options.startretries ?? own.startretries,
    backoff: options.backoff === 'linear' ? 'linear' : own.backoff,
    backoffMaxMs: parseDuration(options.backoffMax ?? own.backoffMax) ?? 0,
    crashLoop: parseCrashLoop(options.crashLoop ?? own.crashLoop) ?? null,
    onFatal: options.onFatal === undefined ? null : options.onFatal === 'exit' ? 'exit' : 'stay',
  });
}
