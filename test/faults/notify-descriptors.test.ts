// No descriptor is left for the NOTIFY_SOCKET of another worker.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { appPath, runMaster } from '../helpers/run-master.ts';

/** The lowest number that a new descriptor of the process can have. */
function lowestFree(pid: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let fd = 0;
  while (open.has(fd)) fd += 1;
  return fd;
}

test('without a descriptor for a NOTIFY_SOCKET, a reload and a scale fail clearly, the old workers serve, and both work again later', async () => {
  const master = runMaster({
    command: ['python3', appPath('gives-a-sign').replace(/cjs$/, 'py'), 'notify'],
    flags: ['--ready', 'notify'],
    env: { FAILS: '/nonexistent' },
  });
  const port = await master.serving();
  const before = (await get(port)).body;
  const allow = (descriptors: number): void => {
    execFileSync('prlimit', ['--pid', String(master.pid), `--nofile=${descriptors}:`]);
  };
  const none = {
    reason: 'notStarted',
    errorCode: 'startFailed',
    message: expect.stringContaining('sd_notify') as string,
    hint: expect.stringContaining('ulimit -n') as string,
  };
  allow(lowestFree(master.pid));
  master.signal('SIGHUP');
  const { failure, serving } = await master.waitFor('generationFailed', { generation: 2 });
  expect({ failure, serving }).toMatchObject({ failure: none, serving: 1 });
  master.signal('SIGTTIN');
  const added = await master.waitFor('workerFailed', { generation: 1, slot: 1 });
  expect(added.failure).toMatchObject(none);
  expect((await get(port)).body).toBe(before);
  allow(1_000);
  await master.waitFor('workerReady', { generation: 1, slot: 1 });
  await master.reload(3);
  expect((await get(port)).status).toBe(200);
});
