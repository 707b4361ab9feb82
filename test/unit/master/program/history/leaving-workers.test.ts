import { expect, test } from 'vitest';
import {
  createLeavingWorkers,
  type LeavingWorkers,
} from '../../../../../src/master/program/history/leaving-workers.ts';
import type { ReloadResult } from '../../../../../src/shared/control-api.ts';

const result: ReloadResult = {
  generation: 3,
  ok: true,
  endedAt: 1,
  durationMs: 1,
  failure: null,
  release: null,
  probationMs: 0,
  serving: 2,
  rolledBackTo: null,
};

function start(workers: LeavingWorkers, generation: number, pid: number): void {
  const change = { generation, slot: 0, pid, from: null, to: 'starting', durationMs: 0 } as const;
  workers.observe({ event: 'workerStarted', ...change });
}

function end(workers: LeavingWorkers, generation: number, pid: number): void {
  const change = { generation, slot: 0, pid, from: 'draining', to: 'exited', durationMs: 0 } as const;
  const outcome = { code: 0, signal: null };
  workers.observe({
    event: 'workerExited',
    ...change,
    outcome,
    served: 0,
    migrated: 0,
    cut: 0,
    cleanUpsCut: 0,
    failure: null,
  });
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.finally(() => (settled = true)).catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test('a reload is drained when the last worker of every earlier generation has ended', async () => {
  const workers = createLeavingWorkers();
  start(workers, 1, 11);
  start(workers, 2, 12);
  start(workers, 3, 13);
  const gone = workers.goneAfter(Promise.resolve(result));
  expect(await isSettled(gone)).toBe(false);
  end(workers, 2, 12);
  expect(await isSettled(gone)).toBe(false);
  // Its own worker, and that of a later reload, are nobody's business here.
  end(workers, 3, 13);
  start(workers, 4, 14);
  end(workers, 1, 11);
  expect(await gone).toEqual(result);
});

test('a reload that failed is answered at once', async () => {
  const workers = createLeavingWorkers();
  start(workers, 1, 11);
  const failed = { ...result, ok: false };
  expect(await workers.goneAfter(Promise.resolve(failed))).toEqual(failed);
});

test('a master that stops answers what waits with masterStopped', async () => {
  const workers = createLeavingWorkers();
  start(workers, 1, 11);
  const gone = workers.goneAfter(Promise.resolve(result));
  await new Promise((resolve) => setImmediate(resolve));
  workers.observe({ event: 'stopRequested', cause: 'signal', urgent: false });
  await expect(gone).rejects.toMatchObject({ code: 'masterStopped' });
});
