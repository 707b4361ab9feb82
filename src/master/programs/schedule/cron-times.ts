/** The times of a cron expression. Only this file uses croner, which only computes, and arms no timer. */
import { Cron } from 'croner';
import type { SchedulePlan } from '../../config/options/schedule-options.ts';

/** Returns a function that gives the first time after a given one, in ms since 1970; null if there is none. */
export function cronTimes({
  expression,
  timezone,
}: Pick<SchedulePlan, 'expression' | 'timezone'>): (after: number) => number | null {
  const cron = new Cron(expression, {
    paused: true,
    mode: '5-part',
    // As in cron(8) for the hour that is left out, or repeated, when summer time begins or ends.
    fixedTimeRule: 'no-wildcard',
    ...(timezone === null ? {} : { timezone }),
  });
  return (after) => cron.nextRun(new Date(after))?.getTime() ?? null;
}
