// A second signal to stop may be for hundreds of workers: a look at all processes for each of them would take the master many seconds.
import { expect, test, vi } from 'vitest';
import { killWorker } from '../../../../src/master/process/kill-workers.ts';
import { readAllProcesses } from '../../../../src/shared/process-stat.ts';

vi.mock(import('../../../../src/shared/process-stat.ts'), async (original) => {
  const real = await original();
  return { ...real, readAllProcesses: vi.fn(real.readAllProcesses) };
});

test('however many workers are killed in a turn, all processes are looked at only a few times', async () => {
  const groups: number[] = [];
  for (let worker = 0; worker < 100; worker += 1)
    killWorker({
      tree: `kill-workers-test.${worker}`,
      // There is no such process.
      roots: () => ({ pids: [], sessions: [2 ** 22 + 1 + worker] }),
      killGroup: () => groups.push(worker),
    });
  expect(readAllProcesses).not.toHaveBeenCalled();
  await new Promise((resolve) => setImmediate(resolve));
  expect(groups).toHaveLength(100);
  expect(vi.mocked(readAllProcesses).mock.calls.length).toBeLessThanOrEqual(3);
});
