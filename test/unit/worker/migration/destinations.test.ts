import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDestinations, type Destinations } from '../../../../src/worker/migration/destinations.ts';
import type { Destination, DestinationEvents } from '../../../../src/worker/migration/source-end.ts';

const opened: DestinationEvents[] = [];

vi.mock('../../../../src/worker/migration/source-end.ts', () => ({
  openSourceEnd: (_end: unknown, events: DestinationEvents): Destination => {
    opened.push(events);
    return {
      inFlight: () => 0,
      offered: () => 0,
      offer: () => undefined,
      offerInTwoSteps: () => undefined,
    };
  },
}));

let destinations: Destinations;
let heard: string[];

beforeEach(() => {
  vi.useFakeTimers();
  heard = [];
  destinations = createDestinations({
    introduced: () => heard.push(`introduced ${destinations.list().length}`),
    missing: () => heard.push('missing'),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function add(more = 0): DestinationEvents {
  destinations.add({}, more);
  const events = opened.pop();
  if (events === undefined) throw new Error('not opened');
  return events;
}

test('a destination is there when it has greeted, not when it was named', () => {
  const one = add();
  expect([destinations.areReady(), heard]).toEqual([false, []]);
  one.opened();
  expect([destinations.areReady(), heard]).toEqual([true, ['introduced 1']]);
});

test('of several all have to be there, for as long as is right to wait for the next one', () => {
  const one = add(1);
  one.opened();
  expect(destinations.areReady()).toBe(false);
  const other = add();
  vi.advanceTimersByTime(50);
  other.opened();
  expect(heard).toEqual(['introduced 2']);

  add(1).opened();
  vi.advanceTimersByTime(999);
  expect(destinations.areReady()).toBe(false);
  vi.advanceTimersByTime(1);
  expect(destinations.areReady()).toBe(true);
  expect(heard).toEqual(['introduced 2', 'introduced 3']);
});

test('one that goes before it has greeted is not waited for', () => {
  add(1).opened();
  add().closed();
  expect(heard).toEqual(['introduced 1']);
});

test('whoever waits is woken when somebody is there, or after two seconds', async () => {
  const woken: string[] = [];
  void destinations.wait().then(() => woken.push('first'));
  add().opened();
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(['first']);

  const alone = createDestinations({ introduced: () => undefined, missing: () => undefined });
  void alone.wait().then(() => woken.push('second'));
  await vi.advanceTimersByTimeAsync(1_999);
  expect(woken).toEqual(['first']);
  await vi.advanceTimersByTimeAsync(1);
  expect(woken).toEqual(['first', 'second']);
});

test('nobody is missed before somebody is expected, nor while somebody is there', () => {
  const one = add();
  one.opened();
  one.draining();
  vi.advanceTimersByTime(10_000);
  expect(heard).toEqual(['introduced 1']);
  destinations.expect();
  vi.advanceTimersByTime(2_000);
  expect(heard).toEqual(['introduced 1', 'missing']);
});

test('one that goes is missed after two seconds, however often it says so', () => {
  destinations.expect();
  const one = add();
  one.opened();
  one.draining();
  for (let times = 0; times < 10; times += 1) {
    vi.advanceTimersByTime(190);
    one.draining();
  }
  one.closed();
  expect(heard).toEqual(['introduced 1']);
  vi.advanceTimersByTime(100);
  expect(heard).toEqual(['introduced 1', 'missing']);
});

test('another that comes later is one more, and ends the missing', () => {
  destinations.expect();
  vi.advanceTimersByTime(2_000);
  add().opened();
  expect(heard).toEqual(['missing', 'introduced 1']);
  vi.advanceTimersByTime(10_000);
  expect(heard).toHaveLength(2);
});
