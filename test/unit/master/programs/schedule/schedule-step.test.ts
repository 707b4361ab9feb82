// The schedule of a program as a table, and under random histories: clocks that jump, runs that take their time or fail, operators that come and go.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SchedulePlan } from '../../../../../src/master/config/options/schedule-options.ts';
import {
  lateMs,
  noSchedule,
  repeatedMs,
  type ScheduleEffect,
  type ScheduleFacts,
  type ScheduleInput,
  type ScheduleState,
  stepSchedule,
} from '../../../../../src/master/programs/schedule/schedule-step.ts';

const minute = 60_000;
/** Every ten minutes. */
const every = 10 * minute;
const next = (after: number): number => (Math.floor(after / every) + 1) * every;

const plan: SchedulePlan = {
  expression: '*/10 * * * *',
  timezone: null,
  ifRunning: 'skip',
  ifMissed: 'skip',
  runTimeoutMs: null,
};

interface Told {
  readonly state: ScheduleState;
  readonly effects: readonly string[];
}

/** An effect in a few words: `arm 600000`, `runStarted schedule`. */
function short(effect: ScheduleEffect): string {
  if (effect.type !== 'announce') return Object.values(effect).join(' ');
  const { event } = effect;
  if (event.event === 'runStarted') return `runStarted ${event.cause}`;
  if (event.event === 'runEnded') return `runEnded ${event.result}`;
  if (event.event === 'runSkipped') return `runSkipped ${event.reason}`;
  if (event.event === 'runsMissed') return `runsMissed ${event.count}${event.isMadeUp ? ' made up' : ''}`;
  return event.event;
}

function tell(
  state: ScheduleState,
  input: ScheduleInput,
  wallMs: number,
  facts: Partial<Omit<ScheduleFacts, 'plan'>> & { readonly plan?: Partial<SchedulePlan> } = {},
): Told {
  const result = stepSchedule(state, input, {
    next,
    waitsFor: [],
    wallMs,
    monotonicMs: wallMs,
    ...facts,
    plan: { ...plan, ...facts.plan },
  });
  return { state: result.state, effects: result.effects.map(short) };
}

const enabled = tell(noSchedule, { type: 'enabled', since: null }, 1).state;
const running = tell(enabled, { type: 'due', shiftMs: 0 }, every).state;
const ended = {
  type: 'ended',
  run: 1,
  outcome: { code: 0, signal: null },
  isExpected: true,
  hasFailed: false,
  endedAt: every + 1,
} as const;
const due = { type: 'due', shiftMs: 0 } as const;

test('what is enabled waits for its next time, runs then, and waits again', () => {
  expect(tell(noSchedule, { type: 'enabled', since: null }, 1).effects).toEqual(['seen', `arm ${every}`]);
  expect(tell(enabled, due, every).effects).toEqual([
    'seen',
    `arm ${2 * every}`,
    'runStarted schedule',
    'startRun 1',
  ]);
  const done = tell(running, { ...ended, endedAt: every + 5_000 }, every + 6_000);
  expect(done.effects).toEqual(['disarmTimeout', 'runEnded succeeded']);
  expect(done.state).toMatchObject({
    run: null,
    nextAt: 2 * every,
    last: { startedAt: every, durationMs: 5_000, result: 'succeeded' },
  });
});

test.each([
  ['skip', ['seen', `arm ${3 * every}`, 'runSkipped stillRunning'], ['disarmTimeout', 'runEnded succeeded']],
  [
    'wait',
    ['seen', `arm ${3 * every}`],
    ['disarmTimeout', 'runEnded succeeded', 'runStarted schedule', 'startRun 2'],
  ],
  [
    'kill',
    ['seen', `arm ${3 * every}`, 'disarmTimeout', 'stopRun'],
    ['disarmTimeout', 'runEnded replaced', 'runStarted schedule', 'startRun 2'],
  ],
] as const)('if the one before is still running: %s', (ifRunning, atDue, atEnd) => {
  const second = tell(running, due, 2 * every, { plan: { ifRunning } });
  expect(second.effects).toEqual(atDue);
  // One more changes nothing: one waits already.
  if (ifRunning !== 'skip')
    expect(tell(second.state, due, 3 * every, { plan: { ifRunning } }).effects).toContain(
      'runSkipped stillRunning',
    );
  expect(tell(second.state, ended, 3 * every + 1, { plan: { ifRunning } }).effects).toEqual(atEnd);
});

test.each([
  [0, ['runStarted schedule', 'startRun 1']],
  [lateMs - 1, ['runStarted schedule', 'startRun 1']],
  [lateMs + 1, ['runsMissed 1']],
  [every + 1, ['runsMissed 1', 'runStarted schedule', 'startRun 1']],
  [every + lateMs + 1, ['runsMissed 2']],
  [5 * every, ['runsMissed 5', 'runStarted schedule', 'startRun 1']],
  [5_000 * every + lateMs + 1, ['runsMissed 100']],
])('a timer that fires %d ms late', (late, expected) => {
  const [seen, arm, ...rest] = tell(enabled, due, every + late).effects;
  expect([seen, arm?.split(' ')[0]]).toEqual(['seen', 'arm']);
  expect(rest).toEqual(expected);
});

test('missed runs are made up for by one, if that is wanted', () => {
  const wanted = { plan: { ifMissed: 'run' } } as const;
  expect(tell(enabled, due, 4 * every + lateMs + 1, wanted).effects.slice(2)).toEqual([
    'runsMissed 4 made up',
    'runStarted missed',
    'startRun 1',
  ]);
  // Those of the time before the master was started, too.
  const since = { type: 'enabled', since: 1 } as const;
  expect(tell(noSchedule, since, 2 * every + lateMs + 1, wanted).effects).toEqual([
    'seen',
    `arm ${3 * every}`,
    'runsMissed 2 made up',
    'runStarted missed',
    'startRun 1',
  ]);
  expect(tell(noSchedule, since, 5, wanted).effects).toEqual(['seen', `arm ${every}`]);
  // A clock that was set back by years.
  expect(tell(noSchedule, { type: 'enabled', since: 9 * every }, 5, wanted).effects).toEqual([
    'seen',
    `arm ${every}`,
  ]);
});

test('a clock that is set back repeats no run, unless it was wrong', () => {
  const later = tell(enabled, due, 30 * every).state;
  expect(tell(later, { type: 'due', shiftMs: -5 * every }, 25 * every).effects).toEqual([
    `arm ${31 * every}`,
  ]);
  expect(tell(later, { type: 'due', shiftMs: -repeatedMs }, 12 * every).effects).toEqual([
    'seen',
    `arm ${13 * every}`,
  ]);
});

test('a run that takes too long is stopped, and is known as that', () => {
  const limited = { plan: { runTimeoutMs: 5_000 } } as const;
  const begun = tell(enabled, due, every, limited);
  expect(begun.effects).toContain('armTimeout 1 5000');
  const late = tell(begun.state, { type: 'timedOut', run: 1 }, every + 5_000, limited);
  expect(late.effects).toEqual(['runTimedOut', 'stopRun']);
  const stopped = { ...ended, outcome: null, isExpected: false } as const;
  expect(tell(late.state, stopped, every + 6_000, limited).effects).toEqual([
    'disarmTimeout',
    'runEnded timedOut',
  ]);
  // One that has ended meanwhile was not too long.
  expect(
    tell(tell(begun.state, ended, every + 1).state, { type: 'timedOut', run: 1 }, every + 5_000).effects,
  ).toEqual([]);
});

test('a changed timeout counts from the beginning of the run under way', () => {
  const begun = tell(enabled, due, every, { plan: { runTimeoutMs: 5_000 } }).state;
  const change = (runTimeoutMs: number | null, at: number): readonly string[] =>
    tell(begun, { type: 'enabled', since: null }, at, { plan: { runTimeoutMs } }).effects;
  expect(change(60_000, every + 2_000)).toContain('armTimeout 1 58000');
  expect(change(1_000, every + 2_000)).toContain('armTimeout 1 0');
  expect(change(null, every + 2_000)).toContain('disarmTimeout');
  // One that is told to end already has its time from there.
  const late = tell(begun, { type: 'timedOut', run: 1 }, every + 5_000).state;
  expect(tell(late, { type: 'enabled', since: null }, every + 5_001).effects).toEqual([
    'seen',
    `arm ${2 * every}`,
  ]);
});

test.each([
  [{ outcome: { code: 1, signal: null }, isExpected: false, hasFailed: false }, 'failed'],
  [{ outcome: { code: 3, signal: null }, isExpected: true, hasFailed: false }, 'succeeded'],
  [{ outcome: null, isExpected: false, hasFailed: true }, 'failed'],
  [{ outcome: null, isExpected: false, hasFailed: false }, 'stopped'],
])('%j is a run that %s', (end, result) => {
  expect(tell(running, { type: 'ended', run: 1, endedAt: every + 1, ...end }, every + 1).effects).toContain(
    `runEnded ${result}`,
  );
});

test('an operator runs it at any time, and a stop leaves nothing to come', () => {
  const asked = tell(enabled, { type: 'began' }, 5);
  expect(asked.effects).toEqual(['runStarted request']);
  expect(tell(asked.state, { type: 'began' }, 6).effects).toEqual([]);
  const waiting = tell(running, due, 2 * every, { plan: { ifRunning: 'wait' } }).state;
  const disabled = tell(waiting, { type: 'disabled' }, 2 * every + 1);
  expect(disabled.effects).toEqual(['disarm']);
  expect(disabled.state).toMatchObject({ nextAt: null, pending: null });
  expect(tell(disabled.state, ended, 2 * every + 2).effects).toEqual(['disarmTimeout', 'runEnded succeeded']);
  expect(tell(disabled.state, due, 9 * every).effects).toEqual([]);
});

test('a run that came to nothing has ended', () => {
  expect(tell(running, { type: 'rested', run: 1 }, every + 1).effects).toEqual([
    'disarmTimeout',
    'runEnded stopped',
  ]);
  expect(tell(running, { type: 'rested', run: 0 }, every + 1).effects).toEqual([]);
  expect(tell(running, { ...ended, run: 0 }, every + 1).effects).toEqual([]);
});

test('what it depends on has to serve', () => {
  const waitsFor = { waitsFor: ['db'] };
  const skipped = tell(enabled, due, every, waitsFor);
  expect(skipped.effects).toEqual(['seen', `arm ${2 * every}`, 'runSkipped dependency']);
  expect(skipped.state.run).toBeNull();
});

type Happening =
  | { readonly do: 'wait' | 'sleep' | 'set'; readonly ms: number }
  | { readonly do: 'enable' | 'disable' | 'start' | 'exit' | 'fail' | 'timeout' };

const words = ['enable', 'disable', 'start', 'exit', 'exit', 'fail', 'timeout'] as const;

const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof<fc.Arbitrary<Happening>[]>(
    fc.record({
      do: fc.constantFrom('wait' as const, 'sleep' as const),
      ms: fc.integer({ min: 1, max: 40 * minute }),
    }),
    fc.record({
      do: fc.constant('set' as const),
      ms: fc.integer({ min: -6 * 60 * minute, max: 6 * 60 * minute }),
    }),
    fc.record({ do: fc.constantFrom(...words) }),
  ),
  { maxLength: 40 },
);

test('whatever happens: one run at a time, a timer for the next one whenever it is enabled, and each run ends once', () => {
  fc.assert(
    fc.property(
      happenings,
      fc.constantFrom('skip' as const, 'wait' as const, 'kill' as const),
      fc.constantFrom('skip' as const, 'run' as const),
      (list, ifRunning, ifMissed) => {
        const rules: SchedulePlan = { ...plan, ifRunning, ifMissed, runTimeoutMs: 3 * minute };
        let state = noSchedule;
        let [wall, mono] = [1_000 * every + 7, 0];
        const timer: { at: number | null } = { at: null };
        let armedAt = { wall, mono };
        let timeout: { readonly run: number; readonly at: number } | null = null;
        /** What the process does: it is told to stop, or runs. */
        let process: 'none' | 'running' | 'stopping' = 'none';
        let [begun, over] = [0, 0];
        let isEnabled = false;
        const queue: ScheduleInput[] = [];
        const feed = (first: ScheduleInput): void => {
          queue.push(first);
          for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
            const facts = { plan: rules, next, waitsFor: [], wallMs: wall, monotonicMs: mono };
            const result = stepSchedule(state, input, facts);
            state = JSON.parse(JSON.stringify(result.state)) as ScheduleState;
            expect(state).toEqual(result.state);
            for (const effect of result.effects) obey(effect);
          }
        };
        const obey = (effect: ScheduleEffect): void => {
          switch (effect.type) {
            case 'arm':
              expect(effect.at).toBeGreaterThan(wall);
              timer.at = effect.at;
              armedAt = { wall, mono };
              return;
            case 'disarm':
              timer.at = null;
              return;
            case 'armTimeout':
              timeout = { run: effect.run, at: mono + effect.delayMs };
              return;
            case 'disarmTimeout':
              timeout = null;
              return;
            case 'startRun':
              expect(process).toBe('none');
              process = 'running';
              return;
            case 'stopRun':
              expect(process).toBe('running');
              process = 'stopping';
              return;
            case 'seen':
              return;
            case 'announce':
              if (effect.event.event === 'runStarted') begun += 1;
              if (effect.event.event === 'runEnded') over += 1;
          }
        };
        const fire = (): void => {
          if (timeout !== null && timeout.at <= mono) {
            const { run } = timeout;
            timeout = null;
            feed({ type: 'timedOut', run });
          }
          if (timer.at === null || timer.at > wall) return;
          timer.at = null;
          feed({ type: 'due', shiftMs: wall - armedAt.wall - (mono - armedAt.mono) });
        };
        const exit = (outcome: { code: number; signal: null } | null): void => {
          if (process === 'none') return;
          const isStopped = process === 'stopping';
          process = 'none';
          feed({
            type: 'ended',
            run: state.lastNumber,
            outcome: isStopped ? null : outcome,
            isExpected: !isStopped && outcome?.code === 0,
            hasFailed: false,
            endedAt: mono,
          });
        };
        for (const one of list) {
          switch (one.do) {
            case 'wait':
              wall += one.ms;
              mono += one.ms;
              break;
            case 'sleep':
              wall += one.ms;
              break;
            case 'set':
              wall += one.ms;
              if (timer.at !== null) {
                timer.at = null;
                feed({ type: 'due', shiftMs: wall - armedAt.wall - (mono - armedAt.mono) });
              }
              break;
            case 'enable':
              isEnabled = true;
              feed({ type: 'enabled', since: null });
              break;
            case 'disable':
              isEnabled = false;
              feed({ type: 'disabled' });
              break;
            case 'start':
              if (process !== 'none') break;
              process = 'running';
              feed({ type: 'began' });
              break;
            case 'exit':
              exit({ code: 0, signal: null });
              break;
            case 'fail':
              exit({ code: 1, signal: null });
              break;
            case 'timeout':
              mono += 3 * minute;
              wall += 3 * minute;
          }
          fire();
          expect(timer.at !== null).toBe(isEnabled);
          expect(state.nextAt).toBe(timer.at);
          expect(state.run !== null).toBe(process !== 'none');
          expect(begun - over).toBe(process === 'none' ? 0 : 1);
          if (!isEnabled) expect(state.pending).toBeNull();
          if (state.pending !== null) expect(state.run).not.toBeNull();
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
