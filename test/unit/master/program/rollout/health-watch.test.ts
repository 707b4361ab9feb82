import { expect, test } from 'vitest';
import { createHealthWatch } from '../../../../../src/master/program/rollout/health-watch.ts';
import type { Failure, MasterEvent } from '../../../../../src/shared/events.ts';

interface Answer {
  readonly problem: string | null;
}

const failing: Answer = { problem: 'GET /healthz answered 503' };
const healthy: Answer = { problem: null };

class World {
  nowMs = 0;
  timer: { readonly delayMs: number; readonly callback: () => void } | null = null;
  /** What each worker answers from now on; missing: nothing. */
  readonly answers = new Map<number, Answer>();
  readonly asked: number[] = [];
  readonly bad: { readonly generation: number; readonly worker: number; readonly failure: Failure }[] = [];
  readonly #answered = new Map<number, Answer | null>();
  readonly #watch = createHealthWatch({
    arm: (delayMs, callback) => {
      const own = { delayMs, callback };
      this.timer = own;
      return () => {
        if (this.timer === own) this.timer = null;
      };
    },
    nowMs: () => this.nowMs,
    workers: () => [
      { id: 1, generation: 1, pid: 101 },
      { id: 2, generation: 2, pid: 102 },
      { id: 3, generation: 2, pid: 103 },
    ],
    ask: (worker) => {
      this.asked.push(worker);
      this.#answered.set(worker, this.answers.get(worker) ?? null);
    },
    answerOf: (worker) => this.#answered.get(worker) ?? null,
    foundBad: (generation, worker, failure) => this.bad.push({ generation, worker, failure }),
  });

  observe(event: MasterEvent): void {
    this.#watch.observe(event);
  }

  fire(times = 1): void {
    for (let n = 0; n < times; n++) {
      const due = this.timer;
      this.timer = null;
      this.nowMs += due?.delayMs ?? 0;
      due?.callback();
    }
  }
}

function ready(probationMs: number): MasterEvent {
  return { event: 'generationReady', generation: 2, durationMs: 1, release: null, probationMs };
}

const advanced: MasterEvent = {
  event: 'rolloutAdvanced',
  generation: 2,
  serving: 1,
  workers: 3,
  isCanary: true,
  pauseMs: 60_000,
};

test('three failures of one worker in a row are too many', () => {
  const world = new World();
  world.observe(ready(60_000));
  expect(world.timer?.delayMs).toBe(5_000);
  world.answers.set(2, healthy).set(3, failing);
  // The first round asks, each further one looks at the answers.
  world.fire(3);
  expect(world.bad).toEqual([]);
  world.fire();
  expect(world.bad).toMatchObject([{ generation: 2, worker: 3, failure: { reason: 'unhealthy' } }]);
  expect(world.bad[0]?.failure.message).toContain('GET /healthz answered 503');
  expect(world.timer).toBeNull();
  // The old generation is not asked.
  expect(world.asked).not.toContain(1);
});

test('a success in between begins the count anew', () => {
  const world = new World();
  world.observe(ready(60_000));
  world.answers.set(2, healthy).set(3, failing);
  world.fire(2);
  world.answers.set(3, healthy);
  world.fire(2);
  world.answers.set(3, failing);
  world.fire(3);
  expect(world.bad).toEqual([]);
  world.fire();
  expect(world.bad).toHaveLength(1);
});

test('a worker that does not answer at all is not asked again at once, and is too late in the end', () => {
  const world = new World();
  world.observe(ready(60_000));
  world.answers.set(2, healthy);
  world.fire(2);
  expect(world.asked.filter((worker) => worker === 3)).toHaveLength(1);
  world.fire(5);
  expect(world.bad).toMatchObject([{ worker: 3 }]);
  expect(world.bad[0]?.failure.message).toContain('does not answer');
});

test('a short probation is long enough for three failures', () => {
  const world = new World();
  world.observe(ready(2_000));
  world.answers.set(2, failing).set(3, healthy);
  world.fire(4);
  expect(world.bad).toHaveLength(1);
  expect(world.nowMs).toBeLessThan(2_000);
});

test('a part of a generation is asked from the first step on, and no timer is armed before and after', () => {
  const world = new World();
  world.observe({ event: 'generationStarted', generation: 2, workers: 3, release: null });
  expect(world.timer).toBeNull();
  world.observe(advanced);
  expect(world.timer?.delayMs).toBe(5_000);
  // The steps are over, and there is no probation.
  world.observe(ready(0));
  expect(world.timer).toBeNull();
  for (const end of ['generationSettled', 'generationFailed', 'stopped'] as const) {
    world.observe(ready(1_000));
    world.observe({ event: end } as unknown as MasterEvent);
    expect(world.timer).toBeNull();
  }
});
