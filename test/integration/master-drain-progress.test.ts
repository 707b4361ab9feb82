// What an operator sees while a stop or a drain waits for requests.
import { expect, test } from 'vitest';
import { begin } from '../helpers/plain-client.ts';
import { app, kill, runMaster } from '../helpers/run-master.ts';

test('a worker that drains has its open requests, its connections and its deadline in the status', async () => {
  const master = runMaster({ flags: ['--drain-timeout', '20s'] });
  const port = await master.serving();
  const held = await Promise.all([begin(port, '/held'), begin(port, '/held')]);
  await master.reload(2);
  const [old, young] = (await master.status()).workers.toSorted(
    (one, other) => one.generation - other.generation,
  );
  expect(old).toMatchObject({ state: 'draining', draining: { requests: 2, connections: 2 } });
  expect(old?.draining?.leftMs).toBeGreaterThan(10_000);
  expect(old?.draining?.leftMs).toBeLessThanOrEqual(20_000);
  expect(young?.draining).toBe(null);
  kill(await master.workerPid(1), 'SIGUSR2');
  await Promise.all(held.map(({ answer }) => answer));
});

test('a worker that is too busy to answer does not hold up the status', async () => {
  const master = runMaster({ flags: ['--drain-timeout', '2s'] });
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  await master.reload(2);
  kill(await master.workerPid(1), 'SIGSTOP');
  const { workers } = await master.status();
  expect(workers.find(({ generation }) => generation === 1)?.draining).toMatchObject({
    requests: null,
    connections: null,
  });
  kill(await master.workerPid(1), 'SIGCONT');
  kill(await master.workerPid(1), 'SIGUSR2');
  await answer;
});

test('a stop that waits says within moments for what, how long at most, and that it can be ended at once', async () => {
  const master = runMaster();
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  const askedAt = performance.now();
  master.signal('SIGINT');
  const progress = await master.waitFor('stillDraining');
  expect(performance.now() - askedAt).toBeLessThan(3_000);
  expect(progress).toMatchObject({ stopping: true, workers: 1, requests: 1, connections: 1, cleaningUp: 0 });
  expect(progress.leftMs).toBeGreaterThan(20_000);
  expect(progress.leftMs).toBeLessThanOrEqual(30_000);
  kill(await master.workerPid(1), 'SIGUSR2');
  expect((await answer).body).toBe('begun, ended');
  expect(await master.exited).toEqual({ code: 0, signal: null });
});

test('a worker that spins says nothing, and the stop is reported all the same', async () => {
  const master = runMaster({ command: app('blocks'), flags: ['--drain-timeout', '3s'] });
  const port = await master.serving();
  await master.waitForLine('adopts 1');
  await begin(port, '/block').catch(() => undefined);
  master.signal('SIGTERM');
  expect(await master.waitFor('stillDraining')).toMatchObject({
    stopping: true,
    workers: 1,
    requests: null,
    connections: null,
    cleaningUp: null,
  });
});

test.each([
  ['a signal handler', app('cleans-up'), { SIGNALS: 'SIGTERM' }],
  ['a drain hook', app('cleans-up'), { HOOK: '1' }],
])('a stop that waits for %s says so, and so does the status', async (_what, command, env) => {
  const master = runMaster({ command, env });
  await master.serving();
  master.signal('SIGTERM');
  const progress = await master.waitFor('stillDraining');
  expect(progress).toMatchObject({ workers: 1, requests: 0, connections: 0, cleaningUp: 1 });
  expect((await master.status()).workers).toMatchObject([{ draining: { isCleaningUp: true } }]);
  master.signal('SIGTERM');
  await master.exited;
});
