// A generation serves when each of its workers has confirmed that it accepts connections; and the worker is the process that listens.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { pauseProcess } from '../helpers/pause-process.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { app, appPath, kill, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

const node = process.execPath;
const serves = appPath('serves');

test.each([
  ['a filter behind a pipe', (filter: string) => `${node} ${serves} | ${node} ${filter}`],
  ['a helper in the background', (filter: string) => `${node} ${filter} & exec ${node} ${serves}`],
])('a second Node.js process, %s, never takes a message that is for the worker', async (_what, lineOf) => {
  const filter = join(temporaryFolder(), 'filter.cjs');
  writeFileSync(filter, 'process.stdin.pipe(process.stdout); setInterval(() => {}, 60_000).unref();');
  const master = runMaster({ command: ['sh', '-c', lineOf(filter)], flags: ['--drain-timeout', '2s'] });
  const port = await master.serving();
  for (let generation = 2; generation <= 6; generation++) {
    await master.reload(generation);
    expect(await whoAnswers(port)).toMatchObject({ generation });
  }
});

/** Reloads two workers: of the new ones, the one in slot 0 freezes between ready and admission, which comes when the other one has booted. */
async function reloadWithFrozenWorker(...flags: readonly string[]): Promise<{
  readonly master: RunningMaster;
  readonly port: number;
  readonly frozen: number;
}> {
  const hold = join(temporaryFolder(), 'hold');
  const master = runMaster({
    // The worker in slot 1 boots when it is told.
    command: [
      'sh',
      '-c',
      '[ "$GRACEFUL_RUN_WORKER" = 1 ] || unset HOLD; exec "$@"',
      'sh',
      ...app('boots-when-told'),
    ],
    flags: ['--workers', '2', ...flags],
    env: { HOLD: hold },
  });
  const port = await master.serving();
  writeFileSync(hold, '');
  master.signal('SIGHUP');
  await master.waitFor('workerReady', { generation: 2, slot: 0 });
  const [frozen, late] = [await master.workerPid(2, 0), await master.workerPid(2, 1)];
  await pauseProcess(frozen);
  await master.waitForLine(`booting ${late}`);
  kill(late, 'SIGUSR2');
  return { master, port, frozen };
}

test('a worker that freezes between ready and admission fails its generation, and the old one serves on', async () => {
  const { master, port } = await reloadWithFrozenWorker('--ready-timeout', '2s');
  const failed = await master.waitFor('generationFailed', { generation: 2 });
  expect(failed.failure.reason).toBe('notAdmitted');
  expect(master.all('workerDraining', { generation: 1 })).toEqual([]);
  // The other new worker may have accepted connections: it finishes them.
  expect(await master.waitFor('workerExited', { generation: 2, slot: 1 })).toMatchObject({ cut: 0 });
  for (let n = 0; n < 4; n++) expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
});

test('while a new worker takes its time to accept, the old ones do, and stop again once it does', async () => {
  const { master, port, frozen } = await reloadWithFrozenWorker('--probation', '60s');
  await master.waitFor('workerAdmitted', { generation: 2, slot: 1 });
  // The old workers made way for a moment, which was over before the frozen one accepted.
  for (let answered = 0; answered < 4; answered++)
    await eventually('an old worker answers', async () => (await whoAnswers(port)).generation === 1);

  kill(frozen, 'SIGCONT');
  await master.waitFor('generationReady', { generation: 2 });
  for (const slot of [0, 1]) await master.waitFor('workerAcceptsNoMore', { generation: 1, slot });
  for (let n = 0; n < 8; n++) expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
  expect(master.all('workerNotPaused')).toEqual([]);
});

test('a program that its own command starts again is reported as a crash, admitted, and serves', async () => {
  const master = runMaster({ command: ['sh', '-c', `until ${node} ${serves}; do :; done`] });
  const port = await master.serving();
  const { pid } = await whoAnswers(port);
  kill(pid, 'SIGKILL');
  const restarted = await master.waitFor('workerRestartedItself', { generation: 1 });
  expect(restarted.failure.message).toContain(String(pid));
  await eventually('admitted', () => master.all('workerAdmitted').length === 2);
  expect((await whoAnswers(port)).pid).not.toBe(pid);
  expect((await master.status()).lastCrash?.failure.message).toContain(String(pid));
  // Its drain signal goes to the process that serves now.
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
});

test('a process that does not listen ends with its master although it does not read the channel', async () => {
  const master = runMaster({ command: [node, '-e', 'setInterval(() => {}, 1_000)'] });
  await master.workerPid(1);
  master.signal('SIGKILL');
  await master.workersGone(10_000);
});

test('a program that ends under a shell that goes on is a crash, and the worker is started again', async () => {
  const master = runMaster({
    command: ['sh', '-c', `${node} ${serves}; sleep 60`],
    flags: ['--ready-timeout', '2s'],
  });
  const port = await master.serving();
  const { pid } = await whoAnswers(port);
  kill(pid, 'SIGKILL');
  const lost = await master.waitFor('workerLostProgram', { generation: 1 });
  expect(lost.failure.message).toContain(String(pid));
  expect(await master.status()).toMatchObject({ phase: 'restarting', lastCrash: { generation: 1 } });
  await eventually('admitted again', () => master.all('workerAdmitted').length === 2);
  expect((await whoAnswers(port)).pid).not.toBe(pid);
});

test.each([
  ['the listener', '', ['--host', '127.0.0.1']],
  ['an address of their own', ', "127.0.0.1"', []],
] as const)(
  'of two processes of one worker that both listen, on %s, one is admitted and gets every message',
  async (_on, host, flags) => {
    const program = join(temporaryFolder(), 'program.cjs');
    writeFileSync(program, `require(${JSON.stringify(serves)}).server.listen(process.env.PORT${host});`);
    const name = 'two-listen';
    const own = ['--port', '0', '--name', name, '--log-level', 'debug', '--log-format', 'json'];
    const times = ['--probation', '0s', '--drain-timeout', '2s', '--ready-timeout', '5s'];
    const master = runMaster({
      hasOwnFlags: false,
      name,
      flags: [...own, ...times, ...flags],
      command: ['sh', '-c', `${node} ${program} & exec ${node} ${program}`],
    });
    const port = await master.serving();
    for (let generation = 2; generation <= 21; generation++) {
      await master.reload(generation);
      // The old one had the order to drain, and knew why: otherwise it would have waited, and been killed.
      await master.waitFor('workerExited', { generation: generation - 1, cut: 0 });
      const answers = [await whoAnswers(port), await whoAnswers(port)];
      expect(answers).toEqual([answers[0], answers[0]]);
      expect(answers[0]).toMatchObject({ generation });
    }
    expect(master.all('workerKilled')).toEqual([]);
    expect(master.all('workerFailed')).toEqual([]);
  },
  60_000,
);
