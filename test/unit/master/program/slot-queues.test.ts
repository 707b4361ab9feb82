import { expect, test } from 'vitest';
import { idleProgram, type Program, type Worker } from '../../../../src/master/program/lifecycle/state.ts';
import { createSlotQueues } from '../../../../src/master/program/slot-queues.ts';
import { settings } from '../../../helpers/lifecycle.ts';

/** A program whose listeners all have queues of these lengths. `own`: the queues of its workers, by their ids, if these are not those of their slots. */
function setUp(
  queues: Record<number, number> = {},
  own: Record<number, number> | null = null,
  isShared = false,
) {
  let directed: readonly number[] = [];
  let now = 0;
  const left: (readonly [slot: number, connections: number])[] = [];
  let armed: { readonly at: number; readonly fire: () => void }[] = [];
  const listener = {
    slots: {
      isOpen: () => !isShared,
      direct: (slots: ReadonlySet<number>) => {
        directed = [...slots];
      },
      isDirectedTo: (slot: number) => directed.includes(slot),
      isDirectedElsewhere: () => false,
      queued: (slot: number) => queues[slot] ?? 0,
      otherFds: () => [11, 12],
    },
  };
  const version = { from: 1, listeners: [listener] };
  const platform = {
    clock: { monotonicMs: () => now, wallMs: () => now },
    arm: (delayMs: number, fire: () => void) => {
      const timer = { at: now + delayMs, fire };
      armed.push(timer);
      return () => {
        armed = armed.filter((one) => one !== timer);
      };
    },
  };
  const versions = { all: () => [version], of: () => version };
  return {
    // Proven dispatch: only what is given here is used.
    queues: createSlotQueues(
      platform,
      versions as never,
      {
        of: (id) => (own === null ? (id - 1) % 3 : (own[id] ?? null)),
        areOwn: () => own !== null && !isShared,
      },
      (...one) => left.push(one),
    ),
    left,
    directed: () => directed,
    armed: () => armed.length,
    pass: (ms: number) => {
      for (const until = now + ms; now < until; now += 10) {
        const due = armed.filter(({ at }) => at <= now);
        armed = armed.filter(({ at }) => at > now);
        for (const { fire } of due) fire();
      }
    },
  };
}

function worker(slot: number, changes: Partial<Worker> = {}): Worker {
  return {
    id: slot + 1,
    generation: 1,
    slot,
    pid: 100 + slot,
    phase: 'ready',
    phaseSince: 0,
    startedAt: 0,
    capabilities: { isGated: true, migrates: true, reports: true },
    extendedTo: null,
    ending: [],
    readyAt: 0,
    admission: 'confirmed',
    takesConnections: true,
    isPaused: false,
    isHung: false,
    ...changes,
  };
}

const slots = [0, 1, 2].map((index) => ({
  index,
  failures: 0,
  workerId: index + 1,
  restartAt: null,
  hasEndedReady: false,
  rest: null,
}));
const generation = { number: 1, startedAt: 0, slots };

function serving(workers: readonly Worker[]): Program {
  return { ...idleProgram(settings, 3), phase: 'serving', current: generation, workers };
}

const leaving = { id: 3, generation: 1, slot: 2, queue: 2 } as never;

test('connections come to the slots whose workers accept, and to no other', () => {
  const { queues, directed } = setUp();
  queues.direct(serving([worker(0), worker(1), worker(2)]));
  expect(directed()).toEqual([0, 1, 2]);
  const notAccepting: Partial<Worker>[] = [
    { phase: 'draining' },
    { isPaused: true },
    { admission: 'asked' },
    { phase: 'starting', admission: 'notAsked' },
  ];
  for (const changes of notAccepting) {
    queues.direct(serving([worker(0), worker(1, changes), worker(2)]));
    expect(directed()).toEqual([0, 2]);
  }
});

test('while no worker accepts, clients wait where the next ones will: at the start, between workers, and at the end', () => {
  const { queues, directed } = setUp();
  queues.direct({ ...idleProgram(settings, 3), phase: 'starting', failures: 0, candidate: generation });
  expect(directed()).toEqual([0, 1, 2]);
  queues.direct(serving([worker(1)]));
  queues.direct(serving([]));
  expect(directed()).toEqual([1]);
  const end = { askedAt: 0, failure: null, outcome: null, keepsListeners: true } as const;
  queues.direct({ ...idleProgram(settings, 3), phase: 'stopping', ...end });
  expect(directed()).toEqual([0]);
});

test('a worker stops at once if another one accepts from its slot, or if every worker is to stop', () => {
  const { queues } = setUp({ 2: 5 });
  let stopped = 0;
  queues.direct(serving([worker(0), worker(2, { id: 9, generation: 2 })]));
  queues.whenServed(leaving, 5_000, () => (stopped += 1));
  expect(stopped).toBe(1);
  const end = { askedAt: 0, failure: null, outcome: null, keepsListeners: false } as const;
  queues.direct({ ...idleProgram(settings, 3), phase: 'stopping', ...end });
  queues.whenServed(leaving, 5_000, () => (stopped += 1));
  expect(stopped).toBe(2);
});

test('else it accepts until its queue is empty, and for a second, in which handshakes end', () => {
  const lengths: Record<number, number> = { 2: 0 };
  const { queues, pass } = setUp(lengths);
  let stopped = 0;
  queues.direct(serving([worker(0)]));
  queues.whenServed(leaving, 5_000, () => (stopped += 1));
  pass(900);
  lengths[2] = 3;
  pass(1_000);
  expect(stopped).toBe(0);
  lengths[2] = 0;
  pass(50);
  expect(stopped).toBe(1);
});

test('but not longer than it may', () => {
  const { queues, pass } = setUp({ 2: 1 });
  let stopped = 0;
  queues.direct(serving([worker(0)]));
  queues.whenServed(leaving, 300, () => (stopped += 1));
  pass(280);
  expect(stopped).toBe(0);
  pass(60);
  expect(stopped).toBe(1);
});

test('what waits is forgotten when the worker accepts again, and replaced by a later order', () => {
  const { queues, pass } = setUp();
  const stopped: string[] = [];
  queues.direct(serving([worker(0)]));
  queues.whenServed(leaving, 5_000, () => stopped.push('paused'));
  expect([queues.forget(leaving), queues.forget(leaving)]).toEqual([true, false]);
  queues.whenServed(leaving, 5_000, () => stopped.push('paused'));
  queues.whenServed(leaving, 5_000, () => stopped.push('drained'));
  pass(2_000);
  expect(stopped).toEqual(['drained']);
  queues.whenServed(leaving, 5_000, () => stopped.push('hurried'));
  queues.hurry();
  expect(stopped).toEqual(['drained', 'hurried']);
});

/** Two slots are left, and what was in slot 2 is gone. */
function shrunk(workers: readonly Worker[], number = 1): Program {
  const current = { number, startedAt: 0, slots: slots.slice(0, 2) };
  return { ...idleProgram(settings, 2), phase: 'serving', current, workers };
}

test('a queue that no worker has nor will have is reported, and again only if it has become shorter', () => {
  const lengths: Record<number, number> = { 1: 4, 2: 3 };
  const { queues, left } = setUp(lengths);
  const kept = [worker(0), worker(1)];
  queues.lookForLeft(serving(kept));
  queues.lookForLeft({ ...idleProgram(settings, 3), phase: 'starting', failures: 0, candidate: generation });
  queues.lookForLeft(shrunk([...kept, worker(2)]));
  queues.lookForLeft(shrunk([worker(0), worker(2, { phase: 'starting' })]));
  expect(left).toEqual([]);
  queues.lookForLeft(shrunk(kept));
  queues.lookForLeft(shrunk(kept));
  expect(left).toEqual([[2, 3]]);
  lengths[2] = 2;
  queues.lookForLeft(shrunk([...kept, worker(2, { phase: 'draining' })]));
  expect(left.slice(1)).toEqual([[2, 2]]);
  queues.lookForLeft(shrunk(kept));
  queues.lookForLeft(shrunk(kept, 2));
  expect(left.slice(2)).toEqual([[2, 2]]);
});

test('a queue to which a handshake comes late is reported within a second, and none while a worker empties it', () => {
  const lengths: Record<number, number> = { 2: 0 };
  const { queues, left, pass } = setUp(lengths);
  const draining = shrunk([worker(0), worker(1), worker(2, { phase: 'draining' })]);
  queues.direct(draining);
  queues.whenServed(leaving, 500, () => undefined);
  queues.lookForLeft(draining);
  lengths[2] = 1;
  pass(450);
  queues.lookForLeft(draining);
  expect(left).toEqual([]);
  lengths[2] = 0;
  pass(100);
  lengths[2] = 1;
  pass(1_100);
  expect(left).toEqual([[2, 1]]);
});

test('a connection that comes after many seconds, as with defer_accept, is found, until the queue is not looked at any more', () => {
  const lengths: Record<number, number> = { 2: 0 };
  const { queues, left, pass, armed } = setUp(lengths);
  queues.lookForLeft(shrunk([worker(0), worker(1)]));
  pass(20_000);
  lengths[2] = 1;
  pass(15_000);
  expect(left).toEqual([[2, 1]]);
  expect(armed()).toBe(1);
  pass(100_000);
  expect(armed()).toBe(0);
});

test('workers with queues of their own get connections only there, wherever their slots are', () => {
  const { queues, directed } = setUp({}, { 1: 0, 2: 1, 11: 2, 12: 3 });
  const next = [worker(0, { id: 11, generation: 2 }), worker(1, { id: 12, generation: 2 })];
  queues.direct(
    serving([worker(0), worker(1), ...next.map((one) => ({ ...one, admission: 'asked' as const }))]),
  );
  expect(directed()).toEqual([0, 1]);
  queues.direct(serving([worker(0, { isPaused: true }), worker(1, { phase: 'draining' }), ...next]));
  expect(directed()).toEqual([2, 3]);
});

test('a queue of such workers is left behind if more connections wait than workers are about to be started for', () => {
  const lengths: Record<number, number> = { 1: 2, 2: 5 };
  const { queues, left } = setUp(lengths, { 1: 0 });
  queues.direct(serving([worker(0)]));
  const [first, second] = slots;
  const waiting = {
    ...serving([worker(0)]),
    current: { ...generation, slots: [first, { ...second, workerId: null }] },
  };
  queues.lookForLeft(waiting as Program);
  expect(left).toEqual([[1, 2]]);
});

test('the queue of a worker that was crashed when the workers came to share a socket is reported: none of them has it', () => {
  const lengths: Record<number, number> = { 0: 7, 1: 2, 2: 0 };
  const { queues, left } = setUp(lengths, { 1: 0, 2: 0 }, true);
  queues.lookForLeft(shrunk([worker(0), worker(1)]));
  expect(left).toEqual([[1, 2]]);
  const none = { index: 1, failures: 1, workerId: null, restartAt: 10, hasEndedReady: true, rest: null };
  const waits = setUp(lengths, {}, true);
  waits.queues.lookForLeft({ ...shrunk([]), current: { ...generation, slots: [none] } } as Program);
  expect(waits.left).toEqual([[1, 2]]);
});
