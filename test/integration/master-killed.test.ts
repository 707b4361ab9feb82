// A master that is killed: its workers notice, finish what is in flight and go, and a new master takes the port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readAllProcesses, readProcessStat } from '../../src/shared/process-stat.ts';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { begin, get, whoAnswers } from '../helpers/plain-client.ts';
import { app, appPath, kill, runMaster, temporaryFolder } from '../helpers/run-master.ts';

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

test.skipIf(process.platform !== 'linux')(
  'what a worker of a killed master has in its process group ends with it, and a shell around it may finish its script',
  async () => {
    const file = join(temporaryFolder(), 'after');
    const script = `sleep 300 & echo helper $! >&2; '${process.execPath}' '${appPath('serves')}'; echo after > '${file}'`;
    const master = runMaster({ command: ['sh', '-c', script] });
    const helper = Number((await master.waitForLine('helper')).split(' ')[1]);
    await master.serving();
    master.signal('SIGKILL');
    await eventually('the script is done', () => existsSync(file));
    await eventually('the helper has ended', () => !isAlive(helper));
    await master.workersGone();
  },
);

test.skipIf(process.platform !== 'linux')(
  'a worker of a killed master that never comes back to its event loop is killed by the next master when its time is over',
  async () => {
    // The sockets of --reuse-port cannot be taken over.
    const killed = runMaster({ command: app('blocks'), flags: ['--reuse-port', '--drain-timeout', '500ms'] });
    const port = await killed.serving();
    const worker = await killed.workerPid(1);
    const { answer } = await begin(port, '/held');
    answer.catch(() => undefined);
    // It is answered, and then the worker blocks.
    await get(port, '/block');
    // What would end the worker first.
    kill(afterMasterOf(killed.pid));
    killed.signal('SIGKILL');
    const next = runMaster({ flags: ['--port', String(port), '--reuse-port', '--drain-timeout', '7s'] });
    expect(await next.waitFor('addressBusy')).toMatchObject({ patienceMs: 5_000 });
    expect(await next.waitFor('orphansKilled')).toMatchObject({ port, pids: [worker] });
    expect(await next.serving()).toBe(port);
    expect(isAlive(worker)).toBe(false);
  },
);

test.skipIf(process.platform !== 'linux')(
  'the next master waits for as long as a worker of the killed one may drain, when that is longer than its own patience',
  async () => {
    const killed = runMaster({ command: app('blocks'), flags: ['--reuse-port', '--drain-timeout', '4s'] });
    const port = await killed.serving();
    const worker = await killed.workerPid(1);
    process.kill(worker, 'SIGSTOP');
    killed.signal('SIGKILL');
    const next = runMaster({ flags: ['--port', String(port), '--reuse-port'] });
    expect(await next.waitFor('addressBusy')).toMatchObject({ patienceMs: 7_000 });
    process.kill(worker, 'SIGCONT');
    expect(await next.serving()).toBe(port);
    expect(next.all('orphansKilled')).toEqual([]);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a worker of a killed master that never comes back to its event loop is killed when its time is over, though no master follows',
  async () => {
    const killed = runMaster({ command: app('blocks'), flags: ['--drain-timeout', '0s'] });
    const port = await killed.serving();
    const worker = await killed.workerPid(1);
    const { answer } = await begin(port, '/held');
    answer.catch(() => undefined);
    await get(port, '/block');
    killed.signal('SIGKILL');
    await eventually('the worker has ended', () => !isAlive(worker));
    await expect(get(port)).rejects.toThrow('ECONNREFUSED');
  },
);

test.skipIf(process.platform !== 'linux')(
  'what watches over the workers ends with the master that stops, and with the workers of one that was killed',
  async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const master = runMaster({ flags: ['--workers', '2'] });
      await master.serving();
      const script = afterMasterOf(master.pid);
      master.signal(signal);
      await master.workersGone();
      await eventually('the script has ended', () => !isAlive(script));
    }
  },
);

test.skipIf(process.platform !== 'linux')(
  'a process that has got the number of a worker is not killed when the master was',
  async () => {
    const stranger = spawn('sleep', ['300'], { detached: true });
    const pid = stranger.pid ?? 0;
    onTestFinished(() => {
      stranger.kill('SIGKILL');
    });
    const startedAt = readProcessStat(pid)?.startedAt ?? 0;
    const run = spawn('/bin/sh', [scriptFile], { stdio: ['pipe', 'ignore', 'inherit'] });
    run.stdin.end(`+ ${pid} ${startedAt + 1} 0\n`);
    expect(await once(run, 'exit')).toEqual([0, null]);
    expect(isAlive(pid)).toBe(true);
    const again = spawn('/bin/sh', [scriptFile], { stdio: ['pipe', 'ignore', 'inherit'] });
    again.stdin.end(`+ ${pid} ${startedAt} 0\n`);
    await once(stranger, 'exit');
  },
);

test.skipIf(process.platform !== 'linux')(
  'what watches over the workers outlives a signal to all processes that the master has started',
  async () => {
    const master = runMaster({ command: app('blocks'), flags: ['--drain-timeout', '0s'] });
    const port = await master.serving();
    const worker = await master.workerPid(1);
    const { answer } = await begin(port, '/held');
    answer.catch(() => undefined);
    await get(port, '/block');
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
      kill(afterMasterOf(master.pid), signal);
    master.signal('SIGKILL');
    await eventually('the worker has ended', () => !isAlive(worker));
  },
);

test.skipIf(process.platform !== 'linux')(
  'what watches over the workers needs no program but sleep, and kills nothing early without it',
  async () => {
    const folder = temporaryFolder();
    for (const hasSleep of [false, true]) {
      const stuck = spawn('sleep', ['300'], { detached: true });
      onTestFinished(() => {
        stuck.kill('SIGKILL');
      });
      const pid = stuck.pid ?? 0;
      if (hasSleep) symlinkSync('/bin/sleep', join(folder, 'sleep'));
      const run = spawn('/bin/sh', [scriptFile], {
        stdio: ['pipe', 'ignore', 'ignore'],
        env: { PATH: folder },
      });
      run.stdin.end(`+ ${pid} ${readProcessStat(pid)?.startedAt} 1\n`);
      await once(run, 'exit');
      await eventually('what it has done', () => isAlive(pid) !== hasSleep);
    }
  },
);

test.skipIf(process.platform !== 'linux')(
  'what watches over the workers knows one by its start, whatever its name contains',
  async () => {
    const folder = temporaryFolder();
    const name = join(folder, 'a) Z 1\n) 2');
    symlinkSync('/bin/sleep', name);
    const stuck = spawn(name, ['300'], { detached: true });
    onTestFinished(() => {
      stuck.kill('SIGKILL');
    });
    const pid = stuck.pid ?? 0;
    const run = spawn('/bin/sh', [scriptFile], { stdio: ['pipe', 'ignore', 'ignore'] });
    run.stdin.end(`+ ${pid} ${readProcessStat(pid)?.startedAt} 0\n`);
    await once(stuck, 'exit');
  },
);

const scriptFile = new URL('../../src/master/process/after-master.sh', import.meta.url).pathname;

/** The script that ends workers which outlive this master. */
function afterMasterOf(master: number): number {
  const found = readAllProcesses().find(
    ({ pid }) => commandOf(pid).includes('after-master.sh') && commandOf(pid).endsWith(`\0${master}\0`),
  );
  if (found === undefined) throw new Error('there is no such script');
  return found.pid;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It has ended meanwhile.
  }
}
