import { expect, test } from 'vitest';
import { cronFault, nicknames } from '../../../../../src/master/config/options/cron-expression.ts';
import { isTimeZone, meantTimeZone } from '../../../../../src/master/config/options/time-zones.ts';
import { cronTimes } from '../../../../../src/master/programs/schedule/cron-times.ts';

const good = [
  '* * * * *',
  '*/5 * * * *',
  ' 0   3 * * * ',
  '0 8-18/2 * * mon-fri',
  '0 0 1,15 jan,JUL *',
  '59 23 31 12 7',
  '0 0 29 2 *',
  '0 0 31 */2 *',
  '0 0 30 2 mon',
  '@Daily',
  ...nicknames,
];

test.each(good)('%j is a cron expression, also for croner, and its time comes', (expression) => {
  expect(cronFault(expression)).toBeNull();
  expect(cronTimes({ expression: expression.trim(), timezone: 'UTC' })(0)).toBeGreaterThan(0);
});

test.each([
  ['', 'it needs five fields, and has 0'],
  ['* * * *', 'it needs five fields, and has 4'],
  ['0 * * * * *', 'it needs five fields, and has 6: there are no seconds'],
  ['61 * * * *', 'minute: 61 is not from 0 to 59'],
  ['* 24 * * *', 'hour: 24 is not from 0 to 23'],
  ['* * 0 * *', 'day of the month: 0 is not from 1 to 31'],
  ['* * * 13 *', 'month: 13 is not from 1 to 12'],
  ['* * * * 8', 'day of the week: 8 is not from 0 to 7'],
  ['* * * juli *', 'month: juli is not from 1 to 12, or jan to dec (did you mean jul?)'],
  ['* * * * mo', 'day of the week: mo is not from 0 to 7, or sun to sat (did you mean mon?)'],
  ['x * * * *', 'minute: x is not from 0 to 59'],
  ['1,,2 * * * *', 'minute: a value is missing'],
  ['5-1 * * * *', 'minute: 5-1 goes backwards'],
  ['1-2-3 * * * *', 'minute: 1-2-3 is no range'],
  ['-5 * * * *', 'minute: nothing is not from 0 to 59'],
  ['5/10 * * * *', 'minute: 5/10 has a step, but is no range'],
  ['*/0 * * * *', 'minute: the step 0 of */0 is not a number from 1 on'],
  ['*/ * * * *', 'minute: the step of */ is not a number from 1 on'],
  ['*/90 * * * *', 'minute: the step 90 is more than 59'],
  ['*/5/5 * * * *', 'minute: */5/5 has more than one step'],
  ['0 0 30 2 *', 'it never comes: no such month has a day 30'],
  ['0 0 31 4,6,sep,11 *', 'it never comes: no such month has a day 31'],
  ['@dayly', 'there is no @dayly, only @daily'],
  ['@reboot', 'there is no @reboot'],
])('%j is none: %s', (expression, fault) => {
  expect(cronFault(expression)).toBe(fault);
});

test('time zones are those of Node.js, and a city or a typing mistake finds its own', () => {
  expect(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires'].map(isTimeZone)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['', '+01:00', 'Europe/Berlim', 'Mars/Olympus'].map(isTimeZone)).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(['Berlin', 'Europe/Berlim', 'europe-berlin', 'new york', 'Mars/Olympus'].map(meantTimeZone)).toEqual(
    ['Europe/Berlin', 'Europe/Berlin', 'Europe/Berlin', 'America/New_York', null],
  );
});

/** The first times after a day in Berlin, as a clock there shows them in UTC. */
function timesIn(expression: string, from: string, count: number): readonly string[] {
  const next = cronTimes({ expression, timezone: 'Europe/Berlin' });
  const times: string[] = [];
  for (let at = next(Date.parse(from)); at !== null && times.length < count; at = next(at))
    times.push(new Date(at).toISOString().slice(0, 16));
  return times;
}

test('a fixed time in the hour that summer time leaves out comes right after it', () => {
  expect(timesIn('30 2 * * *', '2026-03-27T12:00Z', 3)).toEqual([
    '2026-03-28T01:30',
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ]);
});

test('a fixed time in the hour that comes twice comes once', () => {
  expect(timesIn('30 2 * * *', '2026-10-24T12:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
  expect(timesIn('30 2,14 * * *', '2026-10-24T22:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-25T13:30']);
});

test('every half hour is every half hour, whatever the clock does', () => {
  const [spring, autumn] = [
    timesIn('*/30 * * * *', '2026-03-29T00:00Z', 4),
    timesIn('*/30 * * * *', '2026-10-25T00:00Z', 4),
  ];
  expect(spring).toEqual(['2026-03-29T00:30', '2026-03-29T01:00', '2026-03-29T01:30', '2026-03-29T02:00']);
  expect(autumn).toEqual(['2026-10-25T00:30', '2026-10-25T01:00', '2026-10-25T01:30', '2026-10-25T02:00']);
});
