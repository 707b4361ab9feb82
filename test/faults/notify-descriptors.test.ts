// No descriptor is left for the NOTIFY_SOCKET of another worker, or for its listening socket.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { appPath, runMaster, type RunningMaster } from '../helpers/run-master.ts';

/** The lowest number that a new descriptor of the process can have. */
function lowestFree(pid: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let fd = 0;
  while (open.has(fd)) fd += 1;
  return fd;
}

function allow({ pid }: RunningMaster, descriptors: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:`]);
}

test('without a descriptor for a NOTIFY_SOCKET, a reload and a scale fail clearly, the old workers serve, and both work again later', async () => {
  const master = runMaster({
    command: ['python3', appPath('gives-a-sign').replace(/cjs$/, 'py'), 'notify'],
    flags: ['--ready', 'notify'],
    env: { FAILS: '/nonexistent' },
  });
  const port = await master.serving();
  const before = (await get(port)).body;
  const none = {
    reason: 'notStarted',
    errorCode: 'startFailed',
    message: expect.stringContaining('sd_notify') as string,
    hint: expect.stringContaining('ulimit -n') as string,
  };
  allow(master, lowestFree(master.pid));
  master.signal('SIGHUP');
  const { failure, serving } = await master.waitFor('generationFailed', { generation: 2 });
  expect({ failure, serving }).toMatchObject({ failure: none, serving: 1 });
  master.signal('SIGTTIN');
  const added = await master.waitFor('workerFailed', { generation: 1, slot: 1 });
  expect(added.failure).toMatchObject(none);
  expect((await get(port)).body).toBe(before);
  allow(master, 1_000);
  await master.waitFor('workerReady', { generation: 1, slot: 1 });
  await master.reload(3);
  expect((await get(port)).status).toBe(200);
});

test('without a descriptor for the socket of another worker, a scale with --reuse-port fails clearly, the others serve, and it works later', async () => {
  const master = runMaster({ flags: ['--reuse-port', '--workers', '2'] });
  const port = await master.serving();
  allow(master, lowestFree(master.pid));
  master.signal('SIGTTIN');
  const { failure } = await master.waitFor('workerFailed', { generation: 1, slot: 2 });
  expect(failure).toMatchObject({
    reason: 'notStarted',
    errorCode: 'addressUnusable',
    message: expect.stringContaining('EMFILE') as string,
    hint: expect.stringContaining('ulimit -n') as string,
  });
  expect((await get(port)).status).toBe(200);
  allow(master, 1_000);
  await master.waitFor('workerReady', { generation: 1, slot: 2 });
  expect((await master.status()).workers).toHaveLength(3);
});
