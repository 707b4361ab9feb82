// With --reuse-port the master is the gate of a program that has none: connections come to its workers only once they are admitted, and no more once
// they are paused or drain.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort, get, queueUp } from '../helpers/plain-client.ts';
import { canRun } from '../helpers/required-programs.ts';
import { runHost, startHost } from '../helpers/run-host.ts';
import { appPath, kill, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failuresOf } from '../helpers/tally.ts';

const python = ['python3', appPath('serves').replace('.cjs', '.py')];
const shutsDown = ['python3', appPath('serves').replace('serves.cjs', 'misbehaves.py'), 'shuts-down'];

function start(flags: readonly string[], options: Parameters<typeof runMaster>[0] = {}): RunningMaster {
  return runMaster({
    command: python,
    ...options,
    flags: ['--reuse-port', '--startsecs', '300ms', ...flags],
  });
}

/** Reloads, and resolves when the new generation serves, on probation. */
async function takeOver(master: RunningMaster, generation: number): Promise<void> {
  master.signal('SIGHUP');
  await master.waitFor('generationReady', { generation });
}

/** Fails unless every request during the action, and for a while after it, is answered by the process with this pid. */
async function expectOnly(pid: number, port: number, action: () => Promise<void>): Promise<void> {
  const answered = new Set<string>();
  const load = startLoad({ port, mode: 'fresh', clients: 4, answered: ({ body }) => answered.add(body) });
  await load.moreAnswers(50);
  await action();
  await load.moreAnswers(50);
  const tally = await load.stop();
  expect([failuresOf(tally), tally.examples]).toEqual([0, []]);
  expect([...answered]).toEqual([`python ${pid}`]);
}

/** The pid of the process that answers. */
async function answeredBy(port: number, host = '127.0.0.1'): Promise<number> {
  const answer = await fetch(`http://${host === '::1' ? '[::1]' : '127.0.0.1'}:${port}/`);
  return Number((await answer.text()).split(' ')[1]);
}

test('a candidate that accepts but never becomes ready gets no connection, and is killed', async () => {
  const file = join(temporaryFolder(), 'healthy');
  writeFileSync(file, '');
  const master = start(['--ready', `exec:test -e ${file}`, '--ready-timeout', '1s']);
  const port = await master.serving();
  const serving = await master.workerPid(1);
  rmSync(file);
  await expectOnly(serving, port, async () => {
    master.signal('SIGHUP');
    await master.waitFor('workerStarted', { generation: 2 });
    await master.waitFor('generationFailed', { generation: 2 });
  });
  await master.waitFor('workerKilled', { generation: 2, reason: 'notReady' });
});

describe.skipIf(!canRun(['strace']))('while the kernel is slow to open a socket', () => {
  // The calls of the master's main thread: koffi makes them there.
  const slowly = ['strace', '-D', '-qq', '-e', 'trace=listen', '-e', 'inject=listen:delay_exit=300000'];
  const through = [...slowly, '-o', '/dev/null'];

  test('the candidate of the first reload gets no connection', async () => {
    const file = join(temporaryFolder(), 'healthy');
    writeFileSync(file, '');
    const master = start(['--ready', `exec:test -e ${file}`, '--ready-timeout', '1s'], { through });
    const port = await master.serving();
    const serving = await master.workerPid(1);
    rmSync(file);
    await expectOnly(serving, port, async () => {
      master.signal('SIGHUP');
      await master.waitFor('generationFailed', { generation: 2 });
    });
  });

  test('nor does that of an update that turns reuse_port on, and no connection is left behind', async () => {
    const port = await freePort();
    const before = program('shop', port, python).filter((line) => !line.startsWith('reuse_port'));
    const { master, write, ctl } = startHost(before.join('\n'), temporaryFolder(), through);
    await master.waitFor('generationReady', { generation: 1 });
    const serving = await master.workerPid(1);
    const failing = ['ready = "exec:false"', 'ready_timeout = "1s"'];
    write([...program('shop', port, python), ...failing].join('\n'));
    await expectOnly(serving, port, async () => {
      expect(await ctl('update')).not.toMatchObject({ code: 0 });
    });
    expect(master.all('queueLeftBehind')).toEqual([]);
  });
});

test('every new connection is for the new generation once it is admitted, and none fails over reloads', async () => {
  const master = start(['--workers', '2', '--probation', '0s']);
  const port = await master.serving();
  expect((await master.status()).workers.map(({ capabilities }) => capabilities)).toEqual(
    [1, 2].map(() => ({ isGated: true, migrates: false, reports: false })),
  );
  const load = startLoad({ port, mode: 'fresh', clients: 4 });
  for (let generation = 2; generation <= 3; generation += 1) {
    await load.moreAnswers(50);
    await master.reload(generation);
    const own = await Promise.all([0, 1].map(async (slot) => master.workerPid(generation, slot)));
    for (let request = 0; request < 20; request += 1) expect(own).toContain(await answeredBy(port));
    for (const slot of [0, 1])
      expect(await master.waitFor('workerExited', { generation: generation - 1, slot })).toMatchObject({
        from: 'draining',
        outcome: { code: 0 },
      });
  }
  const tally = await load.stop();
  expect([failuresOf(tally), tally.examples]).toEqual([0, []]);
});

test('a generation that crashes on probation is taken back: the one before has waited', async () => {
  const master = start(['--probation', '60s']);
  const port = await master.serving();
  for (const generation of [2, 3]) {
    await takeOver(master, generation);
    expect(await answeredBy(port)).toBe(await master.workerPid(generation));
    kill(await master.workerPid(generation));
    await master.waitFor('generationRolledBack', { generation, to: 1 });
    for (let request = 0; request < 5; request += 1)
      expect(await answeredBy(port)).toBe(await master.workerPid(1));
  }
});

test.each(['127.0.0.1', '::', '::1'])(
  'with ready = "http:/path" each new worker is asked over its own socket, and again on probation: on %s',
  async (host) => {
    const unhealthy = join(temporaryFolder(), 'unhealthy');
    const master = start(
      ['--host', host, '--ready', 'http:/healthz', '--probation', '1500ms', '--ready-timeout', '1s'],
      {
        env: { ...process.env, UNHEALTHY: unhealthy },
      },
    );
    const port = await master.serving();
    const first = await master.workerPid(1);
    writeFileSync(unhealthy, '');
    master.signal('SIGHUP');
    const { failure } = await master.waitFor('generationFailed', { generation: 2 });
    expect(failure.message).toMatch(/http:\/\/\S+\/healthz answered 503/);
    rmSync(unhealthy);
    await takeOver(master, 3);
    expect(await answeredBy(port, host)).toBe(await master.workerPid(3));
    writeFileSync(unhealthy, '');
    expect(await master.waitFor('generationRolledBack', { generation: 3 })).toMatchObject({
      to: 1,
      failure: { reason: 'unhealthy' },
    });
    expect(await answeredBy(port, host)).toBe(first);
  },
);

test('Node.js that a shell starts only after the worker has counted as ready is admitted then', async () => {
  const master = start(['--probation', '0s'], {
    command: ['sh', '-c', `sleep 1; exec ${process.execPath} ${appPath('serves')}`],
  });
  const port = await master.serving();
  await master.waitFor('workerAdmitted', { generation: 1 });
  expect((await get(port)).status).toBe(200);
  expect((await master.status()).workers).toMatchObject([
    { capabilities: { isGated: true, migrates: true, reports: true } },
  ]);
  await master.reload(2);
  expect((await get(port)).status).toBe(200);
});

test('after a change of the command from Python to Node.js and back, no request fails', async () => {
  const port = await freePort();
  const programOf = (command: readonly string[]): readonly string[] => [
    ...program('shop', port, command),
    'probation = "500ms"',
    `environment = { PORT = "${port}" }`,
  ];
  const { update } = await runHost(programOf(python));
  const load = startLoad({ port, mode: 'fresh', clients: 4 });
  for (const command of [[process.execPath, appPath('serves')], python]) {
    await load.moreAnswers(50);
    await update(programOf(command));
  }
  await load.moreAnswers(50);
  const tally = await load.stop();
  expect([failuresOf(tally), tally.examples]).toEqual([0, []]);
});

test('what has queued for the only worker when it crashes is served by the next one', async () => {
  const master = start([]);
  const port = await master.serving();
  await master.reload(2);
  const crashing = await master.workerPid(2);
  kill(crashing, 'SIGSTOP');
  const queued = await queueUp(port, 20);
  kill(crashing);
  await master.waitFor('workerFailed', { pid: crashing });
  const later = await queueUp(port, 20);
  const answers = await Promise.all([...queued, ...later]);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
});

test('a program that shuts the listener down when it drains fails no connection: it was only its own', async () => {
  const master = start(['--probation', '0s'], { command: shutsDown });
  const port = await master.serving();
  const load = startLoad({ port, mode: 'fresh', clients: 4, paceMs: 5 });
  for (let generation = 2; generation <= 3; generation += 1) {
    await load.moreAnswers(50);
    await master.reload(generation);
    await master.waitFor('workerExited', { generation: generation - 1 });
    for (let request = 0; request < 20; request += 1)
      expect((await get(port)).body).toMatch(new RegExp(` ${generation}$`));
  }
  const tally = await load.stop();
  expect([failuresOf(tally), tally.examples]).toEqual([0, []]);
});

test('clients that have queued for a program that is renamed are served under its new name', async () => {
  const port = await freePort();
  const { master, update } = await runHost(program('before', port, python));
  const { pid } = await master.waitFor('workerStarted', { generation: 1 });
  kill(pid ?? -1, 'SIGSTOP');
  const queued = await queueUp(port, 20);
  const updated = update(program('after', port, python));
  await master.waitFor('generationReady', { program: 'after' } as object);
  kill(pid ?? -1);
  expect((await Promise.all(queued)).map(({ status }) => status)).toEqual(queued.map(() => 200));
  await updated;
});

/** The lines of a config file for a program whose workers have sockets of their own. */
function program(name: string, port: number, command: readonly string[]): readonly string[] {
  return [
    `[program.${name}]`,
    `command = ${JSON.stringify(command)}`,
    `port = ${port}`,
    ...['host = "127.0.0.1"', 'reuse_port = true', 'startsecs = "300ms"'],
  ];
}
