// A drain is bounded: SIGTERM at the drain timeout, SIGKILL two seconds later, both to the whole process group.
import { expect, test } from 'vitest';
import { begin, get, whoAnswers } from '../helpers/plain-client.ts';
import { app, kill, runMaster } from '../helpers/run-master.ts';

test('a worker whose request never ends is gone at the drain timeout, and tells what was cut', async () => {
  const master = runMaster({ flags: ['--drain-timeout', '300ms'] });
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  await master.reload(2);
  const exited = await master.waitFor('workerExited', { generation: 1 });
  expect(exited.cut).toBe(1);
  expect(master.all('workerKilled')).toEqual([]);
  await expect(answer).rejects.toThrow();
  expect((await whoAnswers(port)).generation).toBe(2);
});

test('a worker that hears nothing gets SIGTERM at the drain timeout and is killed two seconds later, with its group', async () => {
  const master = runMaster({ command: app('blocks'), flags: ['--drain-timeout', '300ms'] });
  const port = await master.serving();
  // From now on SIGTERM is something to hear, and does not end it by itself.
  await master.waitForLine('adopts 1');
  await get(port, '/block');
  await master.reload(2);
  const terminated = await master.waitFor('workerTerminated', { generation: 1 });
  expect(terminated.durationMs).toBeGreaterThanOrEqual(295);
  const exited = await master.waitFor('workerExited', { generation: 1 });
  expect(exited).toMatchObject({
    from: 'killing',
    outcome: { code: null, signal: 'SIGKILL' },
    served: null,
  });
  expect(master.processes()).toHaveLength(3);
});

test('a worker that ignores SIGTERM is killed two seconds after it, with its group', async () => {
  const master = runMaster({
    command: app('blocks'),
    flags: ['--drain-timeout', '300ms'],
    env: { IGNORE_SIGTERM: '1' },
  });
  const port = await master.serving();
  await get(port, '/block');
  await master.reload(2);
  const killed = await master.waitFor('workerKilled', { generation: 1 });
  expect(killed).toMatchObject({ from: 'terminating', reason: 'drainTimeout' });
  expect(killed.durationMs).toBeGreaterThanOrEqual(1_995);
  expect(killed.durationMs).toBeLessThan(4_000);
  const exited = await master.waitFor('workerExited', { generation: 1 });
  expect(exited.outcome).toEqual({ code: null, signal: 'SIGKILL' });
  expect(master.processes()).toHaveLength(3);
});

test('a worker that is stopped does not hold up a stop: SIGTERM, SIGKILL, exit 0', async () => {
  const master = runMaster({ flags: ['--drain-timeout', '0s'] });
  const { pid } = await whoAnswers(await master.serving());
  kill(pid, 'SIGSTOP');
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect(master.all('workerExited')).toMatchObject([
    { from: 'killing', outcome: { code: null, signal: 'SIGKILL' } },
  ]);
});
