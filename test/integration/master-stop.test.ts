// TERM, INT and QUIT stop gracefully and end with 0; the second of them stops now. Whatever is going on meanwhile.
import net from 'node:net';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { runWithHeldBoots } from '../helpers/held-boots.ts';
import { begin, freePort, get, whoAnswers } from '../helpers/plain-client.ts';
import { app, kill, runMaster, temporaryFolder } from '../helpers/run-master.ts';

const asAsked = { code: 0, signal: null };

test.for(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)(
  '%s lets the request in flight finish, refuses new clients, and ends with 0',
  async (signal) => {
    const master = runMaster();
    const port = await master.serving();
    const { answer } = await begin(port, '/held');
    master.signal(signal);
    await master.waitFor('listenersClosed');
    await eventually('new clients are refused', () =>
      get(port).then(
        () => false,
        () => true,
      ),
    );
    kill(await master.workerPid(1), 'SIGUSR2');
    expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
    expect(await master.exited).toEqual(asAsked);
    expect(master.all('stopRequested')).toMatchObject([{ cause: 'signal', urgent: false }]);
    expect(master.all('stopped')).toMatchObject([{ failure: null }]);
  },
);

test('a second signal stops at once, and ends with 0', async () => {
  const master = runMaster();
  const { answer } = await begin(await master.serving(), '/held');
  master.signal('SIGTERM');
  await master.waitFor('workerDraining');
  await eventually('a signal counts as the second one', () => {
    kill(master.pid, 'SIGINT');
    return master.all('workerKilled').length > 0;
  });
  expect(await master.exited).toEqual(asAsked);
  await expect(answer).rejects.toThrow();
  expect(master.all('workerKilled')).toMatchObject([{ reason: 'stop', from: 'draining' }]);
});

test('two signals by one act, as timeout(1) sends them to its child and to the group, are one', async () => {
  const master = runMaster();
  const { answer } = await begin(await master.serving(), '/held');
  master.signal('SIGTERM');
  master.signal('SIGINT');
  await master.waitFor('workerDraining');
  kill(await master.workerPid(1), 'SIGUSR2');
  expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
  expect(await master.exited).toEqual(asAsked);
  expect(master.all('stopRequested')).toMatchObject([{ cause: 'signal', urgent: false }]);
  expect(master.all('workerKilled')).toEqual([]);
});

test('a stop while the first generation starts ends with 0', async () => {
  const master = runMaster({ command: app('never-ready') });
  await master.waitForLine('not getting ready');
  master.signal('SIGTERM');
  expect(await master.exited).toEqual(asAsked);
  expect(master.all('generationReady')).toEqual([]);
});

test('a stop while the port is in use ends with 0, without waiting for it', async () => {
  const stranger = net.createServer().listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port } = stranger.address() as net.AddressInfo;
  const master = runMaster({ flags: ['--port', String(port)] });
  // It opens before the port is bound.
  await eventually('the control socket is open', () => existsSync(master.controlSocket));
  const askedAt = performance.now();
  master.signal('SIGTERM');
  expect(await master.exited).toEqual(asAsked);
  expect(performance.now() - askedAt).toBeLessThan(2_000);
  stranger.close();
});

test('a stop during the backoff of a crashed worker ends with 0', async () => {
  const master = runMaster();
  const port = await master.serving();
  for (const failures of [1, 2]) {
    kill((await whoAnswers(port)).pid);
    await master.waitFor('restartScheduled', { failures });
  }
  master.signal('SIGTERM');
  expect(await master.exited).toEqual(asAsked);
  expect(master.all('workerStarted')).toHaveLength(2);
});

test('a stop during a reload ends with 0, drains the old generation and kills the new one', async () => {
  const { master, heldReload } = runWithHeldBoots({ isHeld: false });
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  await heldReload();
  master.signal('SIGTERM');
  await master.waitFor('workerExited', { generation: 2 });
  kill(await master.workerPid(1), 'SIGUSR2');
  expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
  expect(await master.exited).toEqual(asAsked);
  expect(master.all('workerKilled')).toMatchObject([{ generation: 2, reason: 'stop' }]);
});

test('signals that mean nothing here change nothing', async () => {
  const master = runMaster();
  const port = await master.serving();
  for (const signal of ['SIGPIPE', 'SIGCONT', 'SIGWINCH'] as const) master.signal(signal);
  await master.reload(2);
  expect((await get(port)).status).toBe(200);
});

test('a master that starts while the one of its name drains waits for it, and then serves', async () => {
  const runtime = temporaryFolder();
  const options = { name: 'shop', runtime, flags: ['--port', String(await freePort())] };
  const before = runMaster(options);
  const port = await before.serving();
  const { answer } = await begin(port, '/held');
  before.signal('SIGTERM');
  await before.waitFor('listenersClosed');
  const after = runMaster(options);
  expect(await after.waitFor('nameBusy')).toMatchObject({ holder: before.pid });
  kill(await before.workerPid(1), 'SIGUSR2');
  expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
  expect(await before.exited).toEqual(asAsked);
  expect(await get(await after.serving())).toMatchObject({ status: 200 });
  expect(after.all('nameBusy')).toHaveLength(1);
});

test('a master that waits for the one of its name waits on while that one is too busy to answer', async () => {
  const runtime = temporaryFolder();
  const options = { name: 'shop', runtime, flags: ['--port', String(await freePort())] };
  const before = runMaster(options);
  const { answer } = await begin(await before.serving(), '/held');
  before.signal('SIGTERM');
  await before.waitFor('listenersClosed');
  const after = runMaster(options);
  await after.waitFor('nameBusy');
  before.signal('SIGSTOP');
  // It asks again meanwhile, and gets no answer either.
  await expect(before.status()).rejects.toThrow('no answer: timedOut');
  before.signal('SIGCONT');
  kill(await before.workerPid(1), 'SIGUSR2');
  expect((await answer).status).toBe(200);
  expect(await before.exited).toEqual(asAsked);
  await after.serving();
});

test('a master that waits for the one of its name can be stopped', async () => {
  const runtime = temporaryFolder();
  const before = runMaster({ name: 'shop', runtime });
  const { answer } = await begin(await before.serving(), '/held');
  before.signal('SIGTERM');
  await before.waitFor('listenersClosed');
  const after = runMaster({ name: 'shop', runtime });
  await after.waitFor('nameBusy');
  after.signal('SIGTERM');
  expect(await after.exited).toEqual(asAsked);
  kill(await before.workerPid(1), 'SIGUSR2');
  expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
  expect(await before.exited).toEqual(asAsked);
});

test('a master ends although threads of V8 wait for a collection, which the end of Node.js 24 does not survive', async () => {
  // They allocate until its main thread has to collect, as threads that compile do now and then.
  const busy = 'node=$1; shift; exec "$node" --stress-concurrent-allocation "$@"';
  for (let run = 0; run < 4; run += 1) {
    const master = runMaster({ through: ['sh', '-c', busy, 'sh'] });
    await master.serving();
    master.signal('SIGTERM');
    expect(await master.exited).toEqual(asAsked);
  }
});
