// The watchdog on a clock of the test's own: what is taken for a hung worker, and what is not.
import { expect, test } from 'vitest';
import { parseNotification } from '../../../../src/master/process/notify-message.ts';
import type { RunningWorker } from '../../../../src/master/program/running-worker.ts';
import { createWatchdog, lastChanceMs } from '../../../../src/master/program/watchdog.ts';
import type { MasterEvent } from '../../../../src/shared/events.ts';
import { capabilities, serving } from '../../../helpers/lifecycle.ts';

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

const boundMs = 10_000;

/** `isNode`: the worker is asked. Otherwise it speaks for itself. */
function world(isNode = true) {
  const it = serving(1, {}, { ...capabilities, reports: isNode, isGated: isNode });
  const timers = new Set<Timer>();
  const told: string[] = [];
  const events: Extract<MasterEvent, { event: 'workerHung' }>[] = [];
  const state = { now: 1_000, isStopped: false, answers: true, asked: 0 };
  let answer: (stack: readonly string[]) => void = () => undefined;
  const process = {
    pid: 1_001,
    send: ({ type }: { readonly type: string }) => {
      if (type !== 'ping') return;
      told.push('ping');
      if (state.answers) made.receive(worker, null);
    },
  };
  // Of its process, only these are looked at.
  const worker = {
    id: 1,
    generation: 1,
    slot: 0,
    servingPid: 1_001,
    hasNotified: true,
    feedsWatchdog: false,
    hasHeartbeat: false,
    watchdog: null,
    process,
  } as unknown as RunningWorker;
  const made = createWatchdog({
    platform: {
      clock: { monotonicMs: () => state.now, wallMs: () => 0 },
      arm: (delayMs, fire) => {
        const timer = { at: state.now + delayMs, fire };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
    state: () => it.program,
    processOf: (id) => (id === 1 ? worker : undefined),
    boundOf: () => boundMs,
    activityOf: () => ({ isStopped: state.isStopped, doing: 'runs' }),
    openHangLocator: (_process, answered) => {
      answer = answered;
      return {
        ask: () => {
          state.asked += 1;
        },
        close: () => told.push('closed'),
      };
    },
    hung: (_id, { figure }) => told.push(`hung ${figure}`),
    alive: () => told.push('alive'),
    onEvent: (event) => {
      if (event.event === 'workerHung') events.push(event);
    },
  });
  made.look();
  return {
    it,
    made,
    worker,
    timers,
    told,
    events,
    state,
    answer: (stack: readonly string[]) => {
      answer(stack);
    },
    say: (text: string) => {
      const said = parseNotification(new TextEncoder().encode(text));
      // As notifications.ts notes it.
      if (said?.watchdogMs != null) worker.watchdog = { ms: said.watchdogMs, isHung: false };
      made.receive(worker, said);
    },
    /** The next timer fires, so much too late. */
    next: (lateMs = 0): void => {
      const [first] = [...timers].sort((one, other) => one.at - other.at);
      if (first === undefined) return;
      timers.delete(first);
      state.now = first.at + lateMs;
      first.fire();
    },
    due: () => [...timers].map(({ at }) => at - state.now),
  };
}

test('a worker that answers is asked twice in its time, with one timer, and is never hung', () => {
  const { next, due, told } = world();
  expect(due()).toEqual([1_000]);
  next();
  for (let nth = 1; nth < 20; nth++) {
    expect(due()).toEqual([boundMs / 2]);
    next();
  }
  expect(told).toEqual(Array.from({ length: 20 }, () => 'ping'));
});

test('one that does not answer is asked for its stack at the end of its time, and is hung after a last chance', () => {
  const { next, due, told, events, state, answer } = world();
  state.answers = false;
  next();
  expect(due()).toEqual([boundMs]);
  next();
  expect([state.asked, due(), told]).toEqual([1, [lastChanceMs], ['ping']]);
  answer(['spin (/app.js:1:1)']);
  next();
  const silentMs = 1_000 + boundMs + lastChanceMs;
  expect(told).toEqual(['ping', `hung ${silentMs}`]);
  expect(events).toMatchObject([
    { silentMs, boundMs, isTriggered: false, stack: ['spin (/app.js:1:1)'], problem: null, doing: 'runs' },
  ]);
  // Said again for as long as it is so, but reported once.
  next();
  expect([told.length, events.length]).toEqual([3, 1]);
});

test('an answer in its last chance is in time, and one after it takes the word back', () => {
  const { next, due, told, state, made, worker, events } = world();
  state.answers = false;
  next();
  next();
  made.receive(worker, null);
  expect(due()).toEqual([boundMs / 2]);
  next();
  next();
  next();
  expect(events).toHaveLength(1);
  expect(events[0]?.problem).toBe('no stack within 1s: its main thread is in native code');
  made.receive(worker, null);
  expect(told.at(-1)).toBe('alive');
  expect(due()).toEqual([boundMs / 2]);
});

test('a time that is up late shows that this process or the machine was held up: it begins again', () => {
  const { next, due, told, state, events } = world();
  state.answers = false;
  next();
  next(60_000);
  expect([told, due()]).toEqual([['ping', 'ping'], [boundMs]]);
  next();
  next(5_000);
  expect([told.length, due(), events]).toEqual([3, [boundMs], []]);
});

test('a worker that is stopped is not hung, and has its whole time when it goes on', () => {
  const { next, due, state, events, told } = world();
  state.answers = false;
  next();
  state.isStopped = true;
  for (let nth = 0; nth < 5; nth++) next();
  expect([events, due()]).toEqual([[], [boundMs]]);
  state.isStopped = false;
  next();
  state.isStopped = true;
  next();
  expect([events, told, due()]).toEqual([[], ['ping'], [boundMs]]);
});

test('a program that speaks for itself is not asked: each WATCHDOG=1 begins its time again', () => {
  const { say, due, next, told, state, events } = world(false);
  expect(due()).toEqual([boundMs]);
  for (let nth = 0; nth < 5; nth++) {
    state.now += 9_000;
    say('WATCHDOG=1');
    expect(due()).toEqual([boundMs]);
  }
  say('STATUS=busy');
  next();
  next();
  expect(told).toEqual([`hung ${boundMs + lastChanceMs}`]);
  expect(events[0]?.problem).toBeNull();
});

test('a program that can be asked is asked until it speaks for itself', () => {
  const { made, worker, say, due, next, told } = world(false);
  worker.hasNotified = false;
  worker.hasHeartbeat = true;
  made.receive(worker, null);
  next();
  expect([told, due()]).toEqual([['ping'], [boundMs / 2]]);
  // As readiness-judge.ts notes it. That it is ready says nothing of a watchdog.
  worker.hasNotified = true;
  say('READY=1');
  next();
  expect([told, due()]).toEqual([['ping', 'ping'], [boundMs / 2]]);
  worker.feedsWatchdog = true;
  say('WATCHDOG=1');
  expect(due()).toEqual([boundMs]);
  next();
  next();
  expect(told).toEqual(['ping', 'ping', 'closed', `hung ${boundMs + lastChanceMs}`]);
});

test('WATCHDOG=trigger is at once, WATCHDOG_USEC changes the time, and 0 ends it', () => {
  const triggered = world(false);
  triggered.state.now += 500;
  triggered.say('WATCHDOG=trigger');
  triggered.say('WATCHDOG=trigger');
  expect(triggered.told).toEqual(['hung 500']);
  expect(triggered.events).toMatchObject([{ isTriggered: true, silentMs: 500 }]);
  const { say, due, made } = world(false);
  say('WATCHDOG_USEC=2500000');
  expect(due()).toEqual([2_500]);
  say('WATCHDOG_USEC=0');
  made.look();
  say('WATCHDOG=1');
  expect(due()).toEqual([]);
  say('WATCHDOG_USEC=3000000');
  expect(due()).toEqual([3_000]);
});

test('no timer is left, and the hang locator is let go, when the worker drains', () => {
  const { it, made, next, timers, told } = world();
  next();
  it.send({ type: 'workerSaidItDrains', at: 20_000, worker: 1 });
  made.look();
  expect([timers.size, told.at(-1)]).toEqual([0, 'closed']);
});
