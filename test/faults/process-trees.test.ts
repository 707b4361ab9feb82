// Programs that do not share the group or session of the process that the master has started: `su -c`, tini, `setsid --wait`.
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { begin, whoAnswers } from '../helpers/plain-client.ts';
import { kill, runMaster, appPath, type RunningMaster } from '../helpers/run-master.ts';

const elsewhere = (script: string): readonly string[] => ['setsid', '--wait', 'sh', '-c', script];
const node = `'${process.execPath}'`;
const serves = `'${appPath('serves')}'`;

/** Every process but the master's own, and `except`, has ended. */
async function onlyLeft(master: RunningMaster, ...except: readonly number[]): Promise<void> {
  await eventually('no other process left', () =>
    master.processes().every(({ pid }) => pid === master.pid || except.includes(pid) || !isAlive(pid)),
  );
}

async function refused(port: number): Promise<void> {
  await expect(whoAnswers(port)).rejects.toThrow('ECONNREFUSED');
}

describe.skipIf(process.platform !== 'linux')('a program in a session of its own', () => {
  test('is killed with its wrapper when a candidate is not ready in time', async () => {
    const master = runMaster({
      command: elsewhere(`[ $GRACEFUL_RUN_GENERATION = 1 ] || ${node} -e 'for(;;);'; ${node} ${serves}`),
      flags: ['--ready-timeout', '2s'],
    });
    const port = await master.serving();
    const before = new Set(master.processes().map(({ pid }) => pid));
    master.signal('SIGHUP');
    await master.waitFor('generationFailed', { generation: 2 });
    await onlyLeft(master, ...before);
    expect((await whoAnswers(port)).generation).toBe(1);
  });

  test('is killed at the drain timeout, and the port is free', async () => {
    const script = `require('node:http').createServer((request, response) => { response.write('x'); setTimeout(() => { for (;;); }, 20); }).listen(process.env.PORT)`;
    const master = runMaster({
      command: ['setsid', '--wait', process.execPath, '-e', script],
      flags: ['--drain-timeout', '500ms'],
    });
    const port = await master.serving();
    const response = await fetch(`http://127.0.0.1:${port}/`);
    void response.text().catch(() => undefined);
    master.signal('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    await master.workersGone();
    await refused(port);
  });

  test('ends when its wrapper is killed', async () => {
    const master = runMaster({ command: elsewhere(`${node} ${serves}; exit`) });
    const port = await master.serving();
    const before = master.processes().map(({ pid }) => pid);
    kill(await master.workerPid(1));
    await master.waitFor('workerFailed', { generation: 1 });
    await eventually('the program has ended', () =>
      before.every((pid) => pid === master.pid || !isAlive(pid)),
    );
    await eventually('another worker', () => master.all('workerAdmitted').length > 1);
    expect((await whoAnswers(port)).generation).toBe(1);
  });

  test('is killed by a second request to stop, with the children that it never stops forking', async () => {
    const forks = `${node} ${serves} & while :; do (sleep 0.01; sleep 0.01) & sleep 0.005; done`;
    const master = runMaster({ command: elsewhere(forks) });
    const port = await master.serving();
    const { answer } = await begin(port, '/held');
    answer.catch(() => undefined);
    // Again and again: the ones that come at once are one request.
    await eventually('killed', () => {
      // It may have ended before its log is read.
      kill(master.pid, 'SIGTERM');
      return master.all('workerKilled').length > 0;
    });
    expect(await master.exited).toEqual({ code: 0, signal: null });
    await master.workersGone();
    await refused(port);
  });
});
