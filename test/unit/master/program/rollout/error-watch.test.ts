import { expect, test } from 'vitest';
import {
  createErrorWatch,
  type WorkerCounts,
} from '../../../../../src/master/program/rollout/error-watch.ts';
import type { ErrorRateBound } from '../../../../../src/master/config/plan.ts';
import type { ErrorCounts, ErrorRate, MasterEvent } from '../../../../../src/shared/events.ts';

const started: MasterEvent = { event: 'generationStarted', generation: 2, workers: 1, release: null };
const settled: MasterEvent = {
  event: 'generationSettled',
  generation: 2,
  durationMs: 60_000,
  isEarly: false,
};

function ready(probationMs: number): MasterEvent {
  return { event: 'generationReady', generation: 2, durationMs: 1, release: null, probationMs };
}

class World {
  bound: ErrorRateBound | null = { share: 0.05, overMs: 10_000, atLeast: 50 };
  counts: WorkerCounts[] = [];
  asked = 0;
  nowMs = 0;
  timer: { readonly delayMs: number; readonly callback: () => void } | null = null;
  readonly bad: { readonly generation: number; readonly rate: ErrorRate }[] = [];
  readonly #watch = createErrorWatch({
    arm: (delayMs, callback) => {
      const own = { delayMs, callback };
      this.timer = own;
      return () => {
        if (this.timer === own) this.timer = null;
      };
    },
    nowMs: () => this.nowMs,
    bound: () => this.bound,
    ask: () => {
      this.asked += 1;
      return Promise.resolve(this.counts);
    },
    foundBad: (generation, rate) => this.bad.push({ generation, rate }),
  });

  async observe(event: MasterEvent): Promise<void> {
    this.#watch.observe(event);
    await new Promise((resolve) => setImmediate(resolve));
  }

  shown(): ErrorCounts | null {
    return this.#watch.counts();
  }

  /** The old worker has answered so much, and the new one. */
  set(older: readonly [number, number], current: readonly [number, number]): void {
    this.counts = [
      { worker: 1, generation: 1, requests: older[0], serverErrors: older[1] },
      { worker: 2, generation: 2, requests: current[0], serverErrors: current[1] },
    ];
  }

  async fire(): Promise<void> {
    const due = this.timer;
    this.timer = null;
    this.nowMs += due?.delayMs ?? 0;
    due?.callback();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('nothing is asked and no timer is armed without a bound, without a probation, and after it', async () => {
  const none = new World();
  none.bound = null;
  for (const event of [started, ready(60_000)]) await none.observe(event);
  expect([none.asked, none.timer]).toEqual([0, null]);

  const world = new World();
  for (const event of [started, ready(0)]) await world.observe(event);
  expect(world.timer).toBeNull();

  for (const event of [started, ready(60_000)]) await world.observe(event);
  expect(world.timer?.delayMs).toBe(500);
  await world.observe(settled);
  expect(world.timer).toBeNull();
});

test('an answer that comes after the end of the probation arms no timer', async () => {
  const world = new World();
  for (const event of [started, ready(60_000)]) await world.observe(event);
  world.timer?.callback();
  world.timer = null;
  await world.observe(settled);
  expect([world.timer, world.bad]).toEqual([null, []]);
});

test('a generation that fails too much is found bad once', async () => {
  const world = new World();
  world.set([1_000, 0], [0, 0]);
  for (const event of [started, ready(60_000)]) await world.observe(event);
  world.set([1_000, 0], [40, 40]);
  await world.fire();
  expect(world.bad).toEqual([]);
  world.set([1_000, 0], [60, 50]);
  await world.fire();
  expect(world.bad).toEqual([
    {
      generation: 2,
      rate: {
        requests: 60,
        serverErrors: 50,
        overMs: 1_000,
        previous: { requests: 1_000, serverErrors: 0 },
      },
    },
  ]);
  expect(world.timer).toBeNull();
});

test('what the old workers have failed since the reload began counts, rather than their lives before', async () => {
  const world = new World();
  world.set([1_000_000, 0], [0, 0]);
  await world.observe(started);
  world.set([1_000_100, 50], [0, 0]);
  await world.observe(ready(60_000));
  world.set([1_000_100, 50], [100, 50]);
  await world.fire();
  expect(world.bad).toEqual([]);
  world.set([1_000_100, 50], [200, 120]);
  await world.fire();
  expect(world.bad).toHaveLength(1);
});

test('a worker that has ended still counts', async () => {
  const world = new World();
  for (const event of [started, ready(60_000)]) await world.observe(event);
  world.set([0, 0], [40, 40]);
  await world.fire();
  world.counts = [{ worker: 3, generation: 2, requests: 20, serverErrors: 0 }];
  await world.fire();
  expect(world.bad[0]?.rate).toMatchObject({ requests: 60, serverErrors: 40 });
});

test('a bound that is taken out of the config file ends the counting', async () => {
  const world = new World();
  for (const event of [started, ready(60_000)]) await world.observe(event);
  world.bound = null;
  await world.fire();
  expect(world.timer).toBeNull();
});

test('counts from the first step of a reload on, and goes on counting when all of the generation serves', async () => {
  const world = new World();
  await world.observe(started);
  world.set([100, 1], [0, 0]);
  expect(world.shown()).toBeNull();
  await world.observe({
    event: 'rolloutAdvanced',
    generation: 2,
    serving: 1,
    workers: 3,
    isCanary: true,
    pauseMs: 60_000,
  });
  world.set([180, 1], [20, 2]);
  await world.fire();
  expect(world.shown()).toEqual({
    current: { requests: 20, serverErrors: 2 },
    previous: { requests: 80, serverErrors: 0 },
  });
  await world.observe(ready(60_000));
  world.set([200, 1], [60, 6]);
  await world.fire();
  expect(world.bad).toMatchObject([{ generation: 2, rate: { requests: 60, serverErrors: 6 } }]);
  expect(world.shown()).toBeNull();
});
