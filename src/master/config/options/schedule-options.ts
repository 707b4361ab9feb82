/**
 * The options that say when a program runs by the clock, and what happens to runs that do not fit. How they are written, and what they become in a plan.
 * Pure.
 */
import { parseDuration } from '../../../shared/durations.ts';
import { defaults } from './defaults.ts';

/** The schedule options in code. All of them are for programs of the type `oneshot`. */
export interface ScheduleOptions {
  /**
   * Run it at these times, as cron(8) writes them, in five fields: minute, hour, day of the month, month, day of the week. Or `@hourly`, `@daily`, `@weekly`,
   * `@monthly`, `@yearly`. Default: it runs once, when it is started.
   */
  readonly schedule?: string;
  /** The time zone of `schedule`, such as `Europe/Berlin`. Default: that of the machine. */
  readonly timezone?: string;
  /** What becomes of a run whose time comes while the one before is under way: `skip` it, `wait` for that, or `kill` that. Default: `skip`. */
  readonly ifRunning?: 'skip' | 'wait' | 'kill';
  /**
   * What becomes of runs whose time has passed while the machine slept, or the master did not run: `skip` them, or `run` once for all of them. Default: `skip`.
   */
  readonly ifMissed?: 'skip' | 'run';
  /** How long a run may take, 1ms to 24h. Then it is stopped. Default: however long. */
  readonly runTimeout?: string;
}

/** The same options once their values are checked. */
export interface ScheduleValues {
  readonly schedule: string;
  readonly timezone: string;
  readonly ifRunning: string;
  readonly ifMissed: string;
  readonly runTimeout: string;
}

/** The schedule of a program in a plan. */
export interface SchedulePlan {
  readonly expression: string;
  /** The time zone of the schedule, or null for that of the machine. */
  readonly timezone: string | null;
  readonly ifRunning: 'skip' | 'wait' | 'kill';
  readonly ifMissed: 'skip' | 'run';
  readonly runTimeoutMs: number | null;
}

export const ifRunningWords: readonly string[] = ['skip', 'wait', 'kill'];
export const ifMissedWords: readonly string[] = ['skip', 'run'];

type Written = { readonly [Name in keyof ScheduleValues]?: ScheduleValues[Name] | undefined };

/** Compiles the schedule of a program; null if it runs once, when it is started. */
export function schedulePlan(options: Written): SchedulePlan | null {
  const { schedule, timezone, ifRunning, ifMissed, runTimeout } = options;
  if (schedule === undefined) return null;
  return Object.freeze({
    expression: schedule.trim(),
    timezone: timezone ?? null,
    ifRunning: ifRunning === 'wait' || ifRunning === 'kill' ? ifRunning : defaults.ifRunning,
    ifMissed: ifMissed === 'run' ? 'run' : defaults.ifMissed,
    runTimeoutMs: runTimeout === undefined ? null : parseDuration(runTimeout),
  });
}

export interface InapplicableScheduleOption {
  readonly option: 'timezone' | 'ifRunning' | 'ifMissed' | 'runTimeout';
  readonly message: string;
  readonly hint: string;
}

/** Rules for options that have no effect without a schedule. */
export const scheduleRules: readonly ((options: Written) => readonly InapplicableScheduleOption[])[] = (
  ['timezone', 'ifRunning', 'ifMissed', 'runTimeout'] as const
).map(
  (option) => (options) =>
    options[option] === undefined || options.schedule !== undefined
      ? []
      : [
          {
            option,
            message: 'has no effect on a program without a schedule',
            hint: 'leave it out, or add a schedule, such as "0 3 * * *"',
          },
        ],
);
