/** The options that say what kind of program it is, how it is reloaded and when it is started, and what they become in a plan. Pure. */
import { parseDuration } from '../../../shared/durations.ts';
import { defaults } from './defaults.ts';

/** The options of a program's kind in code. */
export interface KindOptions {
  /**
   * `server`: it needs an address. `worker`: it has none, such as a queue worker. `oneshot`: it has none either, runs once and ends; programs that
   * depend on it are started when it has ended with one of its `exitcodes`. Only a `server` gets what graceful-run loads into Node.js. Default: `server`.
   */
  readonly type?: 'server' | 'worker' | 'oneshot';
  /**
   * Of a program without an address: at a reload, the new workers start before the old ones stop. False: the old ones stop first, so that
   * there is no old generation to go back to if the new workers fail. Default true.
   */
  readonly overlap?: boolean;
  /** Programs with a lower number are started first and stopped last, as far as `dependsOn` leaves that open: 0 to 999. Default 999. */
  readonly priority?: number;
  /**
   * For a `worker`: the pid file of a daemon, which `command` starts in the background or which already runs. The daemon is supervised and signalled in
   * place of the command, and started again when it is gone. Default: none; the process of the command is supervised.
   */
  readonly adoptPidFile?: string;
  /** How long `adoptPidFile` may name no process that runs before the program has ended, 0s to 24h. Default 2s. */
  readonly adoptGrace?: string;
}

/** The same options once their values are checked. */
export interface KindValues {
  readonly type: string;
  readonly overlap: boolean;
  readonly priority: number;
  readonly adoptPidFile: string;
  readonly adoptGrace: string;
}

/** The kind of a program in a plan. */
export interface KindPlan {
  readonly type: 'server' | 'worker' | 'oneshot';
  readonly overlaps: boolean;
  readonly priority: number;
  /** The absolute path of the file that names the worker's process, and how long it may name none. Null: the process that was started is the worker. */
  readonly pidFile: { readonly path: string; readonly graceMs: number } | null;
}

export const typeWords: readonly string[] = ['server', 'worker', 'oneshot'];

/** The same options as the schema returns them. */
export type WrittenKindOptions = { readonly [Name in keyof KindValues]?: KindValues[Name] | undefined };

export function compileKind(
  options: WrittenKindOptions,
  absolute: (path: string) => string = (path) => path,
): KindPlan {
  const { adoptPidFile } = options;
  return Object.freeze({
    type: typeOf(options),
    overlaps: overlapsOf(options),
    priority: options.priority ?? defaults.priority,
    pidFile:
      adoptPidFile === undefined
        ? null
        : Object.freeze({
            path: absolute(adoptPidFile),
            graceMs: parseDuration(options.adoptGrace ?? defaults.adoptGrace) ?? 0,
          }),
  });
}

export function typeOf({ type }: WrittenKindOptions): KindPlan['type'] {
  return type === 'worker' || type === 'oneshot' ? type : defaults.type;
}

export function overlapsOf(options: WrittenKindOptions): boolean {
  // The workers of a daemon cannot overlap: two daemons with one pid file would take it from each other.
  if (typeOf(options) === 'worker' && options.adoptPidFile !== undefined) return false;
  return options.overlap ?? defaults.overlap;
}

export interface InapplicableKindOption {
  readonly option: 'adoptPidFile' | 'adoptGrace' | 'overlap' | 'workers';
  readonly message: string;
  readonly hint: string;
}

type Rule = (
  options: WrittenKindOptions & { readonly workers?: number | 'auto' | undefined },
) => readonly InapplicableKindOption[];

/** Rules for options that cannot be combined with a pid file, or have no effect without one. */
export const pidFileRules: readonly Rule[] = [
  (options) =>
    options.adoptGrace !== undefined && options.adoptPidFile === undefined
      ? [
          {
            option: 'adoptGrace',
            message: 'has no effect without a pid file',
            hint: 'name the file in adopt_pid_file, or leave it out',
          },
        ]
      : [],
  (options) =>
    options.adoptPidFile !== undefined && typeOf(options) !== 'worker'
      ? [
          {
            option: 'adoptPidFile',
            message: 'is only for programs without an address: a daemon binds its own',
            hint: 'add type = "worker" and leave out port and listen',
          },
        ]
      : [],
  (options) =>
    options.adoptPidFile !== undefined && (options.workers ?? defaults.workers) !== 1
      ? [
          {
            option: 'workers',
            message: 'must be 1 with a pid file, which names one process',
            hint: 'leave it out',
          },
        ]
      : [],
  (options) =>
    options.adoptPidFile !== undefined && options.overlap === true
      ? [
          {
            option: 'overlap',
            message: 'must be false with a pid file: two daemons would write the same one',
            hint: 'leave it out',
          },
        ]
      : [],
];
