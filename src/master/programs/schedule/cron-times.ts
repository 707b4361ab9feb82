/** The times that a cron expression stands for. The one file that knows croner; it only computes, and arms no timer. */
import { Cron } from 'croner';
import type { SchedulePlan } from '../../config/options/schedule-options.ts';

/** The first time after this one, in ms since 1970; null: there is none. */
export function cronTimes({
  expression,
  timezone,
}: Pick<SchedulePlan, 'expression' | 'timezone'>): (after: number) => number | null {
  const cron = new Cron(expression, {
    paused: true,
    mode: '5-part',
    // As cron(8) treats the hour that is left out, or repeated, when summer time begins or ends.
    fixedTimeRule: 'no-wildcard',
    ...(timezone === null ? {} : { timezone }),
  });
  return (after) => cron.nextRun(new Date(after))?.getTime() ?? null;
}
