/** What the values of the options of a schedule may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import { cronFault } from './cron-expression.ts';
import { ifMissedWords, ifRunningWords, type ScheduleValues } from './schedule-options.ts';
import { isTimeZone, meantTimeZone } from './time-zones.ts';
import { duration, oneOf } from './value-schemas.ts';

const wantedSchedule = 'a cron expression, such as "*/5 * * * *", or @daily';
const wantedZone = 'a time zone, such as Europe/Berlin or UTC';

export const scheduleValues: {
  readonly [Name in keyof ScheduleValues]: z.ZodMiniType<ScheduleValues[Name]>;
} = {
  schedule: z.string(wantedSchedule).check(
    z.check<string>(({ value, issues }) => {
      const fault = cronFault(value);
      if (fault !== null)
        issues.push({ code: 'custom', input: value, message: `a cron expression (${fault})` });
    }),
  ),
  timezone: z.string(wantedZone).check(
    z.check<string>(({ value, issues }) => {
      if (isTimeZone(value)) return;
      const meant = meantTimeZone(value);
      const message = meant === null ? wantedZone : `a time zone (did you mean ${meant}?)`;
      issues.push({ code: 'custom', input: value, message });
    }),
  ),
  ifRunning: oneOf(ifRunningWords),
  ifMissed: oneOf(ifMissedWords),
  runTimeout: duration(1),
};
