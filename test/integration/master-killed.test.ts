// A master that is killed: its workers notice, finish what is in flight and go, and a new master takes the port.
import { expect, test } from 'vitest';
import { begin, whoAnswers } from '../helpers/plain-client.ts';
import { kill, runMaster, temporaryFolder } from '../helpers/run-master.ts';

test('the workers of a killed master finish what is in flight, although nobody reads their output any more', async () => {
  const master = runMaster({ flags: ['--workers', '2'] });
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  master.child.stdout?.destroy();
  master.signal('SIGKILL');
  await master.exited;
  const pids = [await master.workerPid(1, 0), await master.workerPid(1, 1)];
  for (const pid of pids) kill(pid, 'SIGUSR2');
  expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
  await master.workersGone();
});

test('a new master that is started at once takes over the port and the name of one that was killed', async () => {
  const runtime = temporaryFolder();
  const killed = runMaster({ runtime, name: 'web' });
  const port = await killed.serving();
  const { answer } = await begin(port, '/held');
  const old = await killed.workerPid(1);
  killed.signal('SIGKILL');
  await killed.exited;
  const startedAt = performance.now();
  const next = runMaster({ runtime, name: 'web', flags: ['--port', String(port)] });
  // It waits for the port while the old worker drains.
  kill(old, 'SIGUSR2');
  await next.waitFor('listenerBound', { port });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect((await answer).status).toBe(200);
  await next.serving();
  expect((await whoAnswers(port)).pid).toBe(await next.workerPid(1));
  expect((await next.status()).master.pid).toBe(next.pid);
});

test('a candidate of a killed master goes too', async () => {
  const master = runMaster({
    command: [process.execPath, '-e', 'setInterval(() => {}, 1e6); console.error("up")'],
  });
  await master.waitForLine('up');
  master.signal('SIGKILL');
  await master.workersGone();
});
