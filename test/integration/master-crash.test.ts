// A worker that crashes is replaced: at once, then after pauses that grow. The listener never closes.
import { expect, test } from 'vitest';
import { queueUp, whoAnswers } from '../helpers/plain-client.ts';
import { kill, runMaster, app } from '../helpers/run-master.ts';

test('a crashed worker is replaced at once, then after 1 s, then after 2 s', async () => {
  const master = runMaster();
  const port = await master.serving();
  for (const failures of [1, 2, 3]) {
    // Waits in the backlog for as long as it takes.
    const { pid, generation } = await whoAnswers(port);
    expect(generation).toBe(1);
    kill(pid);
    const failed = await master.waitFor('workerFailed', { pid });
    expect(failed.failure).toMatchObject({ reason: 'exited', outcome: { code: null, signal: 'SIGKILL' } });
    await master.waitFor('restartScheduled', { failures });
  }
  const delays = master.all('restartScheduled').map(({ delayMs }) => delayMs);
  // Up to a fifth less, at random.
  expect(delays.map((delayMs) => Math.ceil(delayMs / 1_000) * 1_000)).toEqual([0, 1_000, 2_000]);
  for (const [index, least] of [0, 800, 1_600].entries()) expect(delays[index]).toBeGreaterThanOrEqual(least);
});

test('the status says which worker has crashed last, how, and what it wrote last', async () => {
  const master = runMaster();
  await master.serving();
  expect((await master.status()).lastCrash).toBe(null);
  const pid = await master.workerPid(1);
  kill(pid, 'SIGUSR2');
  // On stdout and on stderr.
  await master.waitForLine('ending what was held', 2);
  kill(pid);
  await master.waitFor('workerFailed', { pid });
  const outcome = { code: null, signal: 'SIGKILL' };
  expect((await master.status()).lastCrash).toMatchObject({
    generation: 1,
    slot: 0,
    pid,
    failure: { reason: 'exited', outcome, stderrTail: ['ending what was held'] },
  });
});

test('a reload does not wait for the backoff of the generation that crashed', async () => {
  const master = runMaster();
  const port = await master.serving();
  for (const failures of [1, 2, 3]) {
    kill((await whoAnswers(port)).pid);
    await master.waitFor('restartScheduled', { failures });
  }
  const clients = await queueUp(port, 10);
  await master.reload(2);
  const answers = await Promise.all(clients);
  expect(answers.map(({ body }) => (JSON.parse(body) as { generation: number }).generation)).toEqual(
    answers.map(() => 2),
  );
  expect(master.all('workerReady', { generation: 1 })).toHaveLength(3);
});

test('a worker that crashes beside another one is replaced while the other serves', async () => {
  const master = runMaster({ flags: ['--workers', '2'], command: app('serves') });
  const port = await master.serving();
  const pid = await master.workerPid(1, 1);
  kill(pid);
  await master.waitFor('restartScheduled', { slot: 1, delayMs: 0 });
  expect((await whoAnswers(port)).generation).toBe(1);
  await master.waitFor('workerReady', (event) => event.slot === 1 && event.pid !== pid);
});
