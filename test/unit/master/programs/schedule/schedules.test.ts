// Schedules with the real times of croner, on a clock that the test moves: days of summer time, a machine that sleeps, a clock that is set, years of runs.
import { expect, test } from 'vitest';
import {
  schedulePlan,
  type ScheduleValues,
} from '../../../../../src/master/config/options/schedule-options.ts';
import type { Member } from '../../../../../src/master/programs/member.ts';
import { createSchedules, type Schedules } from '../../../../../src/master/programs/schedule/schedules.ts';
import type { EventWithoutRelease } from '../../../../../src/shared/events.ts';
import { createFakeClock, type FakeClock } from '../../../../helpers/fake-clock.ts';

interface Setup {
  readonly clock: FakeClock;
  /** `runStarted schedule 2026-03-29T01:00` */
  readonly told: string[];
  readonly member: Member;
  readonly schedules: Schedules;
  /** What is kept over the end of the master. */
  readonly seen: Map<string, number>;
  readonly plan: (options: Partial<ScheduleValues>) => void;
  /** The process of the run that is under way ends. */
  readonly exit: (code?: number) => void;
  readonly isRunning: () => boolean;
  /** From now on a run that has ended waits for its hooks; `rest` lets them end. */
  readonly holdRest: () => void;
  readonly rest: () => void;
}

/** Runs take no time, unless `isLong`. */
function setUp(start: string, options: Partial<ScheduleValues>, isLong = false): Setup {
  const clock = createFakeClock(start);
  const told: string[] = [];
  const seen = new Map<string, number>();
  let plan = schedulePlan({ timezone: 'Europe/Berlin', ...options });
  let isRunning = false;
  let isExpected = true;
  /** What waits for the hooks of a run; null: nothing has to. */
  let resting: (() => void)[] | null = null;
  const at = (): string => new Date(clock.wall()).toISOString().slice(0, 16);
  const announce = (event: EventWithoutRelease): void => {
    if (event.event === 'runStarted') told.push(`${at()} ${event.cause}`);
    if (event.event === 'runEnded' && (isLong || event.result !== 'succeeded'))
      told.push(`${at()} ${event.result}`);
    if (event.event === 'runsMissed') told.push(`${at()} missed ${event.count}`);
    if (event.event === 'runSkipped') told.push(`${at()} skipped`);
  };
  const end = (outcome: { code: number; signal: null } | null): void => {
    if (!isRunning) return;
    isRunning = false;
    isExpected = outcome?.code === 0;
    schedules.observe(member, { event: 'stopped', failure: null, outcome });
  };
  // As far as schedules use it.
  const program = {
    plan: () => ({ schedule: plan }),
    name: () => 'job',
    announce,
    stop: () => {
      end(null);
    },
    hasExitedAsExpected: () => isExpected,
  };
  const member = {
    program,
    isWanted: true,
    rest: {
      promise: {
        then: (rested: () => void) => {
          if (resting === null) rested();
          else resting.push(rested);
        },
      },
    },
    schedule: null,
  } as unknown as Member;
  const schedules = createSchedules({
    members: () => [member],
    platform: clock.platform,
    start: async () => {
      isRunning = true;
      if (!isLong) end({ code: 0, signal: null });
      return new Promise(() => undefined);
    },
    waitsFor: () => [],
    isEnding: () => false,
    isBeginning: () => false,
    seen: {
      of: (name) => seen.get(name) ?? null,
      note: (name, time) => seen.set(name, time),
      forget: (name) => seen.delete(name),
      written: async () => Promise.resolve(),
    },
  });
  return {
    clock,
    told,
    member,
    schedules,
    seen,
    plan(more) {
      plan = schedulePlan({ timezone: 'Europe/Berlin', ...options, ...more });
      schedules.look();
    },
    exit(code = 0) {
      end({ code, signal: null });
    },
    isRunning: () => isRunning,
    holdRest() {
      resting = [];
    },
    rest() {
      const waiting = resting ?? [];
      resting = null;
      for (const rested of waiting) rested();
    },
  };
}

test('in a year, a run a day: once each, at the same time of the day, with one wake-up each', () => {
  const { clock, told, schedules } = setUp('2026-01-01T00:00Z', { schedule: '30 2 * * *' });
  schedules.look(true);
  clock.until('2027-01-01T00:00Z');
  expect(told).toHaveLength(365);
  expect(told.filter((line) => !/T0[01]:30 schedule$/.test(line))).toEqual(['2026-03-29T01:00 schedule']);
  expect(new Set(told.map((line) => line.slice(0, 10))).size).toBe(365);
  expect(clock.wakeUps()).toBe(365);
  expect(clock.armed()).toBe(1);
});

test('a run that is months away has one timer', () => {
  const { clock, told, schedules } = setUp('2026-01-02T00:00Z', { schedule: '0 0 1 1 *' });
  schedules.look(true);
  clock.until('2026-12-31T22:59Z');
  expect([told, clock.wakeUps()]).toEqual([[], 0]);
  clock.until('2026-12-31T23:00Z');
  expect([told, clock.wakeUps()]).toEqual([['2026-12-31T23:00 schedule'], 1]);
});

test('a machine that sleeps over the time of a run', () => {
  const skips = setUp('2026-06-01T00:00Z', { schedule: '0 3 * * *' });
  skips.schedules.look(true);
  skips.clock.sleepUntil('2026-06-04T07:00Z');
  expect(skips.told).toEqual(['2026-06-04T07:00 missed 4']);
  // It slept, and woke up in time.
  skips.clock.sleepUntil('2026-06-05T00:59Z');
  skips.clock.until('2026-06-05T02:00Z');
  expect(skips.told.slice(1)).toEqual(['2026-06-05T01:00 schedule']);
  const runs = setUp('2026-06-01T00:00Z', { schedule: '0 3 * * *', ifMissed: 'run' });
  runs.schedules.look(true);
  runs.clock.sleepUntil('2026-06-04T07:00Z');
  expect(runs.told).toEqual(['2026-06-04T07:00 missed 4', '2026-06-04T07:00 missed']);
});

test('a clock that is set: forward, back, and back by years', () => {
  const { clock, told, schedules } = setUp('2030-06-01T00:30Z', { schedule: '0 * * * *' });
  schedules.look(true);
  clock.until('2030-06-01T01:10Z');
  clock.set('2030-06-01T04:10Z');
  clock.until('2030-06-01T05:10Z');
  // The hours that were there already are not there again.
  clock.set('2030-06-01T03:10Z');
  clock.until('2030-06-01T06:10Z');
  clock.set('2026-06-01T03:10Z');
  clock.until('2026-06-01T04:10Z');
  expect(told).toEqual([
    '2030-06-01T01:00 schedule',
    '2030-06-01T04:10 missed 3',
    '2030-06-01T05:00 schedule',
    '2030-06-01T06:00 schedule',
    '2026-06-01T04:00 schedule',
  ]);
});

test('a changed schedule counts at once, and one that is taken away leaves no timer', () => {
  const { clock, told, plan, member, schedules } = setUp('2026-06-01T00:00Z', { schedule: '0 3 * * *' });
  schedules.look(true);
  plan({ schedule: '10 * * * *' });
  clock.until('2026-06-01T00:20Z');
  plan({ timezone: 'Asia/Kathmandu', schedule: '0 8 * * *' });
  clock.until('2026-06-01T03:00Z');
  expect(told).toEqual(['2026-06-01T00:10 schedule', '2026-06-01T02:15 schedule']);
  member.isWanted = false;
  schedules.look();
  expect(clock.armed()).toBe(0);
  member.isWanted = true;
  schedules.look();
  expect(clock.armed()).toBe(1);
});

test.each([
  ['skip', ['00:10 schedule', '00:20 skipped', '00:25 succeeded', '00:30 schedule']],
  ['wait', ['00:10 schedule', '00:25 succeeded', '00:25 schedule', '00:30 succeeded', '00:30 schedule']],
  ['kill', ['00:10 schedule', '00:20 replaced', '00:20 schedule', '00:25 succeeded', '00:30 schedule']],
])('runs that take longer than it is between them: %s', (ifRunning, expected) => {
  const { clock, told, exit, schedules } = setUp(
    '2026-06-01T00:01Z',
    { schedule: '*/10 * * * *', ifRunning },
    true,
  );
  schedules.look(true);
  clock.until('2026-06-01T00:25Z');
  exit();
  clock.until('2026-06-01T00:29Z');
  if (ifRunning === 'wait') {
    clock.until('2026-06-01T00:30Z');
    exit();
  } else clock.until('2026-06-01T00:30Z');
  expect(told.map((line) => line.slice(11))).toEqual(expected);
});

test('a run that takes too long is stopped, also if the machine slept meanwhile', () => {
  const { clock, told, schedules } = setUp(
    '2026-06-01T00:01Z',
    { schedule: '0 * * * *', runTimeout: '10m' },
    true,
  );
  schedules.look(true);
  clock.until('2026-06-01T01:05Z');
  clock.sleepUntil('2026-06-01T01:30Z');
  clock.until('2026-06-01T01:40Z');
  expect(told.map((line) => line.slice(11))).toEqual(['01:00 schedule', '01:35 timedOut']);
});

test('hooks that run after the end of a run do not count as a part of it', () => {
  const { clock, told, schedules, member, exit, holdRest, rest } = setUp(
    '2026-06-01T00:59Z',
    { schedule: '0 * * * *', runTimeout: '10m' },
    true,
  );
  schedules.look(true);
  clock.until('2026-06-01T01:09Z');
  holdRest();
  exit();
  clock.until('2026-06-01T01:15Z');
  rest();
  expect(told.map((line) => line.slice(11))).toEqual(['01:00 schedule', '01:15 succeeded']);
  expect(member.schedule?.last).toMatchObject({ result: 'succeeded', durationMs: 9 * 60_000 });
});

test('what was missed while no master ran is found out from what was kept, except what an operator has stopped', () => {
  const before = setUp('2026-06-01T00:00Z', { schedule: '0 3 * * *', ifMissed: 'run' });
  before.schedules.look(true);
  before.clock.until('2026-06-01T12:00Z');
  expect(before.seen.get('job')).toBe(Date.parse('2026-06-01T01:00Z'));
  const after = setUp('2026-06-03T12:00Z', { schedule: '0 3 * * *', ifMissed: 'run' });
  after.seen.set('job', before.seen.get('job') ?? 0);
  after.schedules.look(true);
  expect(after.told).toEqual(['2026-06-03T12:00 missed 2', '2026-06-03T12:00 missed']);
  // What is not kept up to date would be wrong later.
  after.plan({ ifMissed: 'skip' });
  expect(after.seen.size).toBe(0);
  after.plan({});
  expect(after.seen.size).toBe(1);
  after.member.isWanted = false;
  after.schedules.look();
  expect(after.seen.size).toBe(0);
});

test('24 hours of runs that fail, in less than a second: each has ended, and one timer is left', () => {
  const { clock, told, exit, schedules, isRunning } = setUp(
    '2026-06-01T00:00Z',
    { schedule: '* * * * *' },
    true,
  );
  schedules.look(true);
  const end = Date.parse('2026-06-02T00:00:30Z');
  for (let at = clock.wall() + 30_000; at <= end; at += 30_000) {
    clock.until(new Date(at).toISOString());
    if (isRunning()) exit(1);
  }
  expect(told.filter((line) => line.endsWith('schedule'))).toHaveLength(1_440);
  expect(told.filter((line) => line.endsWith('failed'))).toHaveLength(1_440);
  expect(clock.armed()).toBe(1);
});
