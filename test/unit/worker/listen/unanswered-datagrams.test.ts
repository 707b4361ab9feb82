import { expect, test } from 'vitest';
import {
  createUnansweredDatagrams,
  type UnansweredDatagrams,
} from '../../../../src/worker/listen/unanswered-datagrams.ts';

interface Harness {
  readonly datagrams: UnansweredDatagrams;
  readonly pass: (ms: number) => void;
  /** When whenNone() has resolved, if it has. */
  readonly whenNone: (longestMs: number) => { readonly at: () => Promise<number | null> };
}

function harness(): Harness {
  let now = 0;
  const timers = new Map<() => void, number>();
  const datagrams = createUnansweredDatagrams(
    () => now,
    (action, delayMs) => {
      timers.set(action, now + delayMs);
      return () => timers.delete(action);
    },
  );
  return {
    datagrams,
    pass: (ms) => {
      now += ms;
      for (const [action, at] of timers) {
        if (at > now) continue;
        timers.delete(action);
        action();
      }
    },
    whenNone: (longestMs) => {
      let endedAt: number | null = null;
      void datagrams.whenNone(longestMs).then(() => {
        endedAt = now;
      });
      return {
        at: async () => {
          await Promise.resolve();
          return endedAt;
        },
      };
    },
  };
}

test('nothing was received: there is nothing to wait for', async () => {
  expect(await harness().whenNone(60_000).at()).toBe(0);
});

test('as many answers are waited for as datagrams have come from a sender', async () => {
  const { datagrams, whenNone, pass } = harness();
  for (const sender of ['a', 'a', 'b']) datagrams.received(sender);
  const end = whenNone(60_000);
  datagrams.sent('a');
  datagrams.sent('b');
  pass(1);
  expect(await end.at()).toBeNull();
  datagrams.sent('c');
  expect(await end.at()).toBeNull();
  datagrams.sent('a');
  expect(await end.at()).toBe(1);
});

test('a datagram without an answer is waited for 5 s, and 2 s if nothing was ever answered', async () => {
  const oneWay = harness();
  oneWay.datagrams.received('a');
  const end = oneWay.whenNone(60_000);
  oneWay.pass(1_999);
  expect(await end.at()).toBeNull();
  oneWay.pass(1);
  expect(await end.at()).toBe(2_000);

  const answering = harness();
  answering.datagrams.received('a');
  answering.datagrams.sent('a');
  answering.datagrams.received('a');
  const later = answering.whenNone(60_000);
  answering.pass(4_999);
  expect(await later.at()).toBeNull();
  answering.pass(1);
  expect(await later.at()).toBe(5_000);
});

test('it does not wait longer than it may', async () => {
  const { datagrams, whenNone, pass } = harness();
  datagrams.received('a');
  const end = whenNone(100);
  pass(100);
  expect(await end.at()).toBe(100);
});

test('datagrams that are too old are forgotten, and of more senders than it can remember the oldest', async () => {
  const { datagrams, whenNone, pass } = harness();
  datagrams.received('old');
  pass(6_000);
  for (let sender = 0; sender <= 10_000; sender += 1) datagrams.received(String(sender));
  const end = whenNone(60_000);
  for (let sender = 1; sender <= 10_000; sender += 1) datagrams.sent(String(sender));
  expect(await end.at()).toBe(6_000);
});
