import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WorkerMessage } from '../../../../src/shared/protocol.ts';
import { createPauses, type Pauses } from '../../../../src/worker/listen/pauses.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Listeners by name: whether they accept. */
function setUp(...names: readonly string[]): {
  readonly pauses: Pauses;
  readonly sent: WorkerMessage['type'][];
  readonly accepting: () => readonly string[];
  /** Handles the master's order for one listener; without a copy of it, the listener goes on accepting. */
  readonly order: (name: string, forMs: number | null, hasCopy?: boolean) => void;
} {
  const listeners = new Map(names.map((name) => [name, true]));
  const sent: WorkerMessage['type'][] = [];
  const accepting = (): readonly string[] =>
    [...listeners].flatMap(([name, accepts]) => (accepts ? [name] : []));
  const pauses = createPauses({
    gate: {
      isPaused: () => accepting().length === 0,
      resume: () => {
        for (const name of names) listeners.set(name, true);
        return null;
      },
    },
    send: ({ type }) => sent.push(type),
    cannotResume: (problem) => {
      throw new Error(problem);
    },
  });
  const order = (name: string, forMs: number | null, hasCopy = true): void => {
    if (hasCopy) listeners.set(name, false);
    pauses.paused(forMs);
  };
  return { pauses, sent, accepting, order };
}

test('a brief pause that is confirmed in time lasts', () => {
  const { pauses, sent, accepting, order } = setUp('a', 'b');
  order('a', 25);
  order('b', 25);
  pauses.confirm();
  expect(sent).toEqual(['paused']);
  vi.advanceTimersByTime(60_000);
  expect(accepting()).toEqual([]);
  pauses.resume();
  expect(accepting()).toEqual(['a', 'b']);
});

test('one that is not confirmed in time is over, and the master is told when it confirms it', () => {
  const { pauses, sent, accepting, order } = setUp('a');
  order('a', 25);
  expect(pauses.isBrief()).toBe(true);
  vi.advanceTimersByTime(25);
  expect([pauses.isBrief(), accepting()]).toEqual([false, ['a']]);
  pauses.confirm();
  expect(sent).toEqual(['pauseLapsed']);
  order('a', null);
  pauses.confirm();
  expect(sent).toEqual(['pauseLapsed', 'paused']);
});

test('also if it was over for one listener before the order for the next one came', () => {
  const { pauses, sent, accepting, order } = setUp('a', 'b');
  order('a', 25);
  vi.advanceTimersByTime(25);
  order('b', 25);
  pauses.confirm();
  expect(sent).toEqual(['pauseLapsed']);
  order('a', null);
  order('b', null);
  pauses.confirm();
  expect(sent).toEqual(['pauseLapsed', 'paused']);
  vi.advanceTimersByTime(60_000);
  expect(accepting()).toEqual([]);
});

test('after a pause that was over and taken back, the next one begins anew', () => {
  const { pauses, sent, order } = setUp('a');
  order('a', 25);
  vi.advanceTimersByTime(25);
  pauses.resume();
  order('a', 25);
  pauses.confirm();
  expect(sent).toEqual(['paused']);
});

test('without a copy of a listener there is no pause, and the worker accepts on all of them', () => {
  const { pauses, sent, accepting, order } = setUp('a', 'b');
  order('a', 25);
  order('b', 25, false);
  pauses.confirm();
  expect(sent).toEqual(['notPaused']);
  expect(accepting()).toEqual(['a', 'b']);
});
