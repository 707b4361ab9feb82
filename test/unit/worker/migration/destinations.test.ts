import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Outbound, OutboundEvents } from '../../../../src/worker/migration/links.ts';
import { createSuccessors, type Successors } from '../../../../src/worker/migration/destinations.ts';

const opened: OutboundEvents[] = [];

vi.mock('../../../../src/worker/migration/links.ts', () => ({
  openOutbound: (_end: unknown, events: OutboundEvents): Outbound => {
    opened.push(events);
    return {
      inFlight: () => 0,
      offered: () => 0,
      offer: () => undefined,
      entrust: () => undefined,
    };
  },
}));

let successors: Successors;
let heard: string[];

beforeEach(() => {
  vi.useFakeTimers();
  heard = [];
  successors = createSuccessors({
    introduced: () => heard.push(`introduced ${successors.list().length}`),
    missing: () => heard.push('missing'),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function add(more = 0): OutboundEvents {
  successors.add({}, more);
  const events = opened.pop();
  if (events === undefined) throw new Error('not opened');
  return events;
}

test('a successor is there when it has greeted, not when it was named', () => {
  const one = add();
  expect([successors.areThere(), heard]).toEqual([false, []]);
  one.greeted();
  expect([successors.areThere(), heard]).toEqual([true, ['introduced 1']]);
});

test('of several all have to be there, for as long as is right to wait for the next one', () => {
  const one = add(1);
  one.greeted();
  expect(successors.areThere()).toBe(false);
  const other = add();
  vi.advanceTimersByTime(50);
  other.greeted();
  expect(heard).toEqual(['introduced 2']);

  add(1).greeted();
  vi.advanceTimersByTime(99);
  expect(successors.areThere()).toBe(false);
  vi.advanceTimersByTime(1);
  expect(successors.areThere()).toBe(true);
  expect(heard).toEqual(['introduced 2', 'introduced 3']);
});

test('one that goes before it has greeted is not waited for', () => {
  add(1).greeted();
  add().ended();
  expect(heard).toEqual(['introduced 1']);
});

test('whoever waits is woken when somebody is there, or after two seconds', async () => {
  const woken: string[] = [];
  void successors.wait().then(() => woken.push('first'));
  add().greeted();
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(['first']);

  const alone = createSuccessors({ introduced: () => undefined, missing: () => undefined });
  void alone.wait().then(() => woken.push('second'));
  await vi.advanceTimersByTimeAsync(1_999);
  expect(woken).toEqual(['first']);
  await vi.advanceTimersByTimeAsync(1);
  expect(woken).toEqual(['first', 'second']);
});

test('nobody is missed before somebody is expected, nor while somebody is there', () => {
  const one = add();
  one.greeted();
  one.left();
  vi.advanceTimersByTime(10_000);
  expect(heard).toEqual(['introduced 1']);
  successors.expect();
  vi.advanceTimersByTime(2_000);
  expect(heard).toEqual(['introduced 1', 'missing']);
});

test('one that goes is missed after two seconds, however often it says so', () => {
  successors.expect();
  const one = add();
  one.greeted();
  one.left();
  for (let times = 0; times < 10; times += 1) {
    vi.advanceTimersByTime(190);
    one.left();
  }
  one.ended();
  expect(heard).toEqual(['introduced 1']);
  vi.advanceTimersByTime(100);
  expect(heard).toEqual(['introduced 1', 'missing']);
});

test('another that comes later is one more, and ends the missing', () => {
  successors.expect();
  vi.advanceTimersByTime(2_000);
  add().greeted();
  expect(heard).toEqual(['missing', 'introduced 1']);
  vi.advanceTimersByTime(10_000);
  expect(heard).toHaveLength(2);
});
