// The log and the workers' output: whatever becomes of them, master and workers go on.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { get, whoAnswers } from '../helpers/plain-client.ts';
import { app, kill, runMaster, type RunningMaster } from '../helpers/run-master.ts';

const mebibyte = 1_024 * 1_024;

function residentBytes(pid: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1_024;
}

async function serves(master: RunningMaster, generation: number): Promise<boolean> {
  const status = await master.status();
  return status.generation === generation && status.workers.length === 1;
}

test('a master whose stderr is closed serves and reloads', async () => {
  const master = runMaster({ through: ['sh', '-c', 'exec "$@" 2>&-', 'sh'] });
  await eventually('it serves', () => serves(master, 1).catch(() => false));
  const [listener] = (await master.status()).listeners;
  master.signal('SIGHUP');
  await eventually('it has reloaded', () => serves(master, 2));
  expect((await whoAnswers(listener?.port ?? 0)).generation).toBe(2);
});

test('a master whose output nobody reads any more serves, reloads, and replaces a crashed worker', async () => {
  const master = runMaster();
  const port = await master.serving();
  master.child.stderr?.destroy();
  master.child.stdout?.destroy();
  kill(await master.workerPid(1), 'SIGUSR2');
  master.signal('SIGHUP');
  await eventually('it has reloaded', () => serves(master, 2));
  const { pid } = await whoAnswers(port);
  kill(pid);
  await eventually('the worker is replaced', async () =>
    (await master.status()).workers.some((worker) => worker.state === 'ready' && worker.pid !== pid),
  );
  expect((await get(port)).status).toBe(200);
});

test('a worker that floods stderr costs the master no memory, and can be reloaded', async () => {
  const master = runMaster({ command: app('floods-stderr'), env: { MEGABYTES: '10' } });
  const port = await master.serving();
  const before = residentBytes(master.pid);
  kill(await master.workerPid(1), 'SIGUSR2');
  await master.waitForLine('written');
  expect(residentBytes(master.pid) - before).toBeLessThan(40 * mebibyte);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).generation).toBe(2);
});

test('output that nobody reads is not kept in memory, and stops neither the master nor the worker', async () => {
  const master = runMaster({ command: app('floods-stderr'), env: { MEGABYTES: '100' } });
  const port = await master.serving();
  const before = residentBytes(master.pid);
  master.child.stderr?.pause();
  kill(await master.workerPid(1), 'SIGUSR2');
  // On stdout, which is read.
  await master.waitForLine('written');
  expect(residentBytes(master.pid) - before).toBeLessThan(50 * mebibyte);
  expect((await get(port)).status).toBe(200);
  master.signal('SIGHUP');
  // The log has dropped events too: the control socket tells.
  await eventually('it has reloaded', () => serves(master, 2));
  master.child.stderr?.resume();
  expect((await whoAnswers(port)).generation).toBe(2);
});

test('a line that a worker has not ended does not swallow an event', async () => {
  // The second generation writes nothing: what has not ended within 200 ms is passed on, and then is a line of its own.
  const script = `if (process.env.GRACEFUL_RUN_GENERATION === '1') process.stderr.write('no end'); require(${JSON.stringify(app('serves')[1])}).server.listen(process.env.PORT)`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  await master.serving();
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(master.lines).toEqual(['no end']);
});
