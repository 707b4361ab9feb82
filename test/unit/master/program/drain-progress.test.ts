import { expect, test } from 'vitest';
import {
  createDrainProgress,
  type DrainProgressEvent,
} from '../../../../src/master/program/drain-progress.ts';
import type { MasterEvent } from '../../../../src/shared/events.ts';

const draining: MasterEvent = {
  event: 'workerDraining',
  generation: 1,
  slot: 0,
  pid: 77,
  from: 'ready',
  to: 'draining',
  durationMs: 0,
  reason: 'reload',
};
const stopping: MasterEvent = { event: 'stopRequested', cause: 'signal', urgent: false };
const stopped: MasterEvent = { event: 'stopped', failure: null, outcome: null };
const progress: DrainProgressEvent = {
  event: 'stillDraining',
  stopping: true,
  workers: 1,
  requests: 1,
  connections: 1,
  cleaningUp: 0,
  leftMs: 1,
};

function start(): {
  observe: (event: MasterEvent) => void;
  armed: () => number | null;
  fire: () => Promise<void>;
  end: () => void;
  published: DrainProgressEvent[];
} {
  let timer: { readonly delayMs: number; readonly callback: () => void } | null = null;
  let isDraining = true;
  const published: DrainProgressEvent[] = [];
  const drainProgress = createDrainProgress({
    arm: (delayMs, callback) => {
      const own = { delayMs, callback };
      timer = own;
      return () => {
        if (timer === own) timer = null;
      };
    },
    isDraining: () => isDraining,
    look: () => Promise.resolve(isDraining ? progress : null),
    publish: (event) => published.push(event),
  });
  return {
    observe: (event) => {
      drainProgress.observe(event);
    },
    armed: () => timer?.delayMs ?? null,
    fire: async () => {
      const due = timer;
      timer = null;
      due?.callback();
      await new Promise((resolve) => setImmediate(resolve));
    },
    end: () => {
      isDraining = false;
    },
    published,
  };
}

test('a stop is reported after a second, and then at growing intervals', async () => {
  const { observe, armed, fire, published } = start();
  observe(stopping);
  const delays: (number | null)[] = [];
  for (let round = 0; round < 7; round += 1) {
    delays.push(armed());
    await fire();
  }
  expect(delays).toEqual([1_000, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  expect(published.length).toBe(7);
});

test('the drain of a reload is reported later, and a stop that begins meanwhile has times of its own', () => {
  const { observe, armed } = start();
  observe(draining);
  expect(armed()).toBe(5_000);
  observe(stopping);
  expect(armed()).toBe(1_000);
  observe(draining);
  expect(armed()).toBe(1_000);
});

test('when nothing drains any more, no timer is armed and nothing is said', async () => {
  const { observe, armed, fire, end, published } = start();
  observe(stopping);
  end();
  observe(stopped);
  expect(armed()).toBe(null);
  observe(stopping);
  await fire();
  expect([armed(), published]).toEqual([null, []]);
});
