import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { awaitOrder, type DrainOrder } from '../../../../src/worker/drain/drain-order.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const reload: DrainOrder = { reason: 'reload', timeoutMs: 5_000, migrates: true, emptiesQueues: false };
const assumed = (reason: DrainOrder['reason']): DrainOrder => ({
  reason,
  timeoutMs: 30_000,
  migrates: false,
  emptiesQueues: false,
});

function start(isThere = true): {
  readonly order: ReturnType<typeof awaitOrder>;
  readonly tell: ReturnType<typeof vi.fn>;
  readonly waited: () => DrainOrder | null;
} {
  const tell = vi.fn();
  const order = awaitOrder(30_000, { isThere: () => isThere, tell });
  let result: DrainOrder | null = null;
  return {
    order: {
      ...order,
      wait: () =>
        order.wait().then((value) => {
          result = value;
          return value;
        }),
    },
    tell,
    waited: () => result,
  };
}

test('an order that the master has sent is used at once, and the master is told nothing', async () => {
  const { order, tell } = start();
  order.receive(reload);
  expect(await order.wait()).toEqual(reload);
  expect(order.current()).toEqual(reload);
  expect(tell).not.toHaveBeenCalled();
});

test('an order that arrives while it is waited for is used, and the master is told nothing', async () => {
  const { order, tell, waited } = start();
  const wait = order.wait();
  await vi.advanceTimersByTimeAsync(499);
  expect(waited()).toBeNull();
  order.receive(reload);
  expect(await wait).toEqual(reload);
  expect(tell).not.toHaveBeenCalled();
});

test.each([
  { signal: 'the drain signal', isOther: false, toldAtMs: 500 },
  { signal: 'another signal', isOther: true, toldAtMs: 150 },
])('after $signal a master that says nothing is told after $toldAtMs ms', async ({ isOther, toldAtMs }) => {
  const { order, tell } = start();
  if (isOther) order.askSooner();
  const wait = order.wait();
  await vi.advanceTimersByTimeAsync(toldAtMs - 1);
  expect(tell).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(tell).toHaveBeenCalledOnce();
  order.receive(reload);
  expect(await wait).toEqual(reload);
});

test('a master that never answers is waited for one second', async () => {
  const { order, waited } = start();
  void order.wait();
  await vi.advanceTimersByTimeAsync(999);
  expect(waited()).toBeNull();
  await vi.advanceTimersByTimeAsync(1);
  expect(waited()).toEqual(assumed('signal'));
});

test('without a master nothing is waited for, and its end is the reason if it is known', async () => {
  const { order, tell } = start(false);
  expect(await order.wait()).toEqual(assumed('signal'));
  order.masterGone();
  expect(await order.wait()).toEqual(assumed('masterGone'));
  expect(tell).not.toHaveBeenCalled();
});

test('an order that arrives after the wait, as at the drain timeout, replaces the assumed one', async () => {
  const { order } = start(false);
  await order.wait();
  order.receive(reload);
  expect(order.current()).toEqual(reload);
});
