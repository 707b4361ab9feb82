// Programs that fail or end by themselves: what is started again, when it is given up, and how that is shown.
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get, whoAnswers } from '../helpers/plain-client.ts';
import { startHost } from '../helpers/run-host.ts';
import { appPath, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { gracefulctl, type Ended } from '../helpers/run-gracefulctl.ts';

function ctl(master: RunningMaster, ...args: readonly string[]): Promise<Ended> {
  return gracefulctl(args, { XDG_RUNTIME_DIR: master.runtime });
}

function shell(script: string): readonly string[] {
  return ['sh', '-c', script];
}

function runFile(text: string, folder: string = temporaryFolder()): RunningMaster {
  return startHost(text, folder).master;
}

/** Ends with code 9 so often, and serves then. */
function failsFirst(times: number): readonly string[] {
  const count = join(temporaryFolder(), 'count');
  return shell(
    `echo x >> ${count}; [ $(wc -l < ${count}) -le ${times} ] && exit 9; exec ${process.execPath} ${appPath('serves')}`,
  );
}

test('a start that fails is tried again while clients wait, and the one that serves answers them', async () => {
  const master = runMaster({ flags: ['--startretries', '2'], command: failsFirst(2) });
  const port = await master.port();
  const answer = whoAnswers(port);
  const { delayMs } = await master.waitFor('startRetryScheduled', { failures: 1 });
  expect(delayMs).toBeGreaterThanOrEqual(800);
  expect(await master.status()).toMatchObject({ state: 'BACKOFF', phase: 'backoff', retry: { failures: 1 } });
  await master.waitFor('startRetryScheduled', { failures: 2 });
  expect((await answer).generation).toBe(3);
  expect(await master.status()).toMatchObject({ state: 'RUNNING', phase: 'serving', retry: null });
});

test.each([
  ['exponential', [800, 1_000]],
  ['linear', [1_000, 1_000]],
])(
  'backoff_max of the config file bounds the pauses between failed starts and between crashes, with backoff = "%s"',
  async (backoff, [least = 0, most = 0]) => {
    const [bad, cwd] = [join(temporaryFolder(), 'bad'), temporaryFolder()];
    const command = shell(
      `[ -e ${bad} ] && exit 5; exec ${process.execPath} ${appPath('crashes-when-told')}`,
    );
    writeFileSync(bad, '');
    const keys = `listen = ["127.0.0.1:0"]\nprobation = "0s"\nstartretries = 3\nbackoff = "${backoff}"\nbackoff_max = "1s"`;
    const master = runFile(`[program.shop]\ncommand = ${JSON.stringify(command)}\n${keys}\n`, cwd);
    const failed = await master.waitFor('startRetryScheduled', { failures: 3 });
    rmSync(bad);
    const { generation } = await master.waitFor('generationReady');
    expect(generation).toBe(failed.generation + 1);
    writeFileSync(bad, '');
    await expect(get(await master.port(), '/crash')).rejects.toThrow();
    await master.waitFor('restartScheduled', { failures: 4 });
    const pauses = [...master.all('startRetryScheduled'), ...master.all('restartScheduled')];
    // Without the bound, the second and the third of each would be 2 s and more. After the first crash there is none.
    const told = pauses.map(({ event, failures, delayMs }) => ({ event, failures, delayMs }));
    expect(told.map(({ event, failures }) => `${event} ${failures}`)).toEqual([
      'startRetryScheduled 1',
      'startRetryScheduled 2',
      'startRetryScheduled 3',
      'restartScheduled 1',
      'restartScheduled 2',
      'restartScheduled 3',
      'restartScheduled 4',
    ]);
    for (const { event, failures, delayMs } of told) {
      const isAtOnce = event === 'restartScheduled' && failures === 1;
      expect(delayMs).toBeGreaterThanOrEqual(isAtOnce ? 0 : least);
      expect(delayMs).toBeLessThanOrEqual(isAtOnce ? 0 : most);
    }
  },
  20_000,
);

test('a start that waits for its retry begins at once when gracefulctl start asks for it', async () => {
  const master = runMaster({
    flags: ['--startretries', '3'],
    command: failsFirst(1),
  });
  await master.waitFor('startRetryScheduled');
  expect(await ctl(master, 'start', '--wait', master.name)).toMatchObject({ code: 0 });
  expect(await master.status()).toMatchObject({ state: 'RUNNING', generation: 2 });
});

interface Breakable {
  readonly master: RunningMaster;
  /** While this file exists, its workers fail at their start. */
  readonly bad: string;
  /** While this file exists, its workers do not get ready. */
  readonly slow: string;
}

/** Serves, until it is told to crash. */
async function serves(): Promise<Breakable> {
  const folder = temporaryFolder();
  const [bad, slow] = [join(folder, 'bad'), join(folder, 'slow')];
  const master = runMaster({
    command: shell(
      `[ -e ${bad} ] && { echo 'Error: no database' >&2; exit 5; }; while [ -e ${slow} ]; do sleep 0.05; done; exec ${process.execPath} ${appPath('crashes-when-told')}`,
    ),
  });
  await master.waitFor('generationReady');
  return { master, bad, slow };
}

/** Failures in a row after which the restart waits for at least 12 s: longer than any command takes, on a slow machine, too. */
const failures = 6;

/** As serves(); its only worker has crashed and waits for its restart. */
async function restarts(): Promise<Breakable> {
  const breakable = await serves();
  const { master, bad } = breakable;
  writeFileSync(bad, '');
  await expect(get(await master.port(), '/crash')).rejects.toThrow();
  // The pauses double, and one wait does not last for all of them.
  for (const count of [failures - 2, failures]) await master.waitFor('restartScheduled', { failures: count });
  return breakable;
}

test('status of a program whose only worker waits for its restart fails, and says what to type', async () => {
  const { master } = await restarts();
  const { code, out } = await ctl(master, 'status', master.name);
  expect(await master.status()).toMatchObject({ phase: 'restarting', state: 'BACKOFF' });
  expect([code, out]).toEqual([4, expect.stringContaining(`gracefulctl start ${master.name}`)]);
}, 60_000);

test('status of a program whose only worker has crashed fails while the next one starts, and says what to type', async () => {
  const { master, slow } = await serves();
  writeFileSync(slow, '');
  await expect(get(await master.port(), '/crash')).rejects.toThrow();
  await master.waitFor('restartScheduled');
  await eventually('the next worker starts', async () => (await master.status()).workers.length === 1);
  expect(await master.status()).toMatchObject({ phase: 'restarting', state: 'STARTING', restarts: [] });
  const { code, out } = await ctl(master, 'status', master.name);
  const command = `gracefulctl start --wait ${master.name}`;
  expect([code, out]).toEqual([4, expect.stringContaining(command)]);
  const waiting = ctl(master, ...command.split(' ').slice(1));
  rmSync(slow);
  expect(await waiting).toMatchObject({ code: 0 });
  expect((await ctl(master, 'status', master.name)).code).toBe(0);
});

test('gracefulctl start starts a worker at once that waits for its restart, and waits until it accepts', async () => {
  const { master, bad } = await restarts();
  const since = performance.now();
  expect(await master.status()).toMatchObject({ phase: 'restarting', restarts: [{ failures }] });
  rmSync(bad);
  const { code, out } = await ctl(master, 'start', '--wait', master.name);
  expect([code, out]).toEqual([0, expect.stringContaining('generation 1 serves')]);
  expect(await master.status()).toMatchObject({ state: 'RUNNING', generation: 1, restarts: [] });
  expect(performance.now() - since).toBeLessThan(Number(master.all('restartScheduled').at(-1)?.delayMs));
}, 60_000);

test('gracefulctl start of a program that restarts fails with the reason if its worker fails again', async () => {
  const { master } = await restarts();
  const { code, err } = await ctl(master, 'start', '--wait', master.name);
  expect([code, err]).toEqual([1, expect.stringContaining('no database')]);
  expect(err).toContain('cannot start: generation 1 failed');
  expect(master.all('restartScheduled')).toHaveLength(failures + 1);
}, 60_000);

test('gracefulctl start of a program that runs says so, whatever has become of its last reload', async () => {
  const { master, bad } = await serves();
  writeFileSync(bad, '');
  expect(await ctl(master, 'reload', '--wait', master.name)).toMatchObject({ code: 1 });
  expect(await ctl(master, 'start', '--wait', master.name)).toMatchObject({
    code: 0,
    out: 'already running: generation 1 serves\n',
  });
});

test.each([
  ['exit 7', 7],
  ['kill -KILL $$', 137],
])('with --on-fatal exit the master ends as the program does that ran `%s`', async (script, code) => {
  const master = runMaster({ flags: ['--on-fatal', 'exit'], command: shell(script) });
  expect(await master.exited).toEqual({ code, signal: null });
});

test.each([
  [['--autorestart', 'false'], 'exit 3', 3],
  [['--autorestart', 'unexpected'], 'exit 0', 0],
])(
  'with %j a program that runs `%s` after it was ready ends the master with its code',
  async (flags, end, code) => {
    const master = runMaster({
      flags: [...flags, '--startsecs', '50ms'],
      command: shell(`sleep 0.3; ${end}`),
    });
    expect(await master.exited).toEqual({ code, signal: null });
    expect(master.all('workerNotReplaced')).toMatchObject([{ why: 'exited', outcome: { code } }]);
    expect(master.all('generationReady')).toHaveLength(1);
  },
);

test('a program that was given up is FATAL: status says so and fails, and start, reload and a changed file leave it', async () => {
  const folder = temporaryFolder();
  const program = join(folder, 'app.cjs');
  const good = readFileSync(appPath('serves'), 'utf8');
  const bad = 'process.exit(5);';
  writeFileSync(program, bad);
  const master = runMaster({
    flags: ['--on-fatal', 'stay', '--watch'],
    command: [process.execPath, program],
  });
  await master.waitFor('stopped');
  expect(await master.status()).toMatchObject({ state: 'FATAL', phase: 'failed', isWanted: true });
  const shown = await ctl(master, 'status', master.name);
  expect(shown.code).toBe(4);
  expect(shown.out).toContain(`gracefulctl start ${master.name}`);
  expect(JSON.parse((await ctl(master, 'status', '--json')).out)).toMatchObject({ state: 'FATAL' });

  writeFileSync(program, good);
  await master.waitFor('generationReady');
  expect((await master.waitFor('fileChanged')).path).toBe(program);
  expect(await master.status()).toMatchObject({ state: 'RUNNING' });
});

test.each([
  ['its command is missing', 'commandNotFound'],
  ['its address is in use', 'addressInUse'],
])(
  'a program that could not even be started because %s is started when a watched file changes',
  async (_, errorCode) => {
    const folder = temporaryFolder();
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    mkdirSync(join(folder, 'bin'));
    const app = join(folder, 'bin', 'app');
    const makeApp = (): void => {
      writeFileSync(app, `#!/bin/sh\nexec ${process.execPath} ${appPath('serves')}\n`, { mode: 0o755 });
    };
    if (errorCode === 'addressInUse') makeApp();
    else holder.close();
    const master = runFile(
      `[program.web]\ncommand = ["bin/app"]\nlisten = ["127.0.0.1:${port}"]\nwatch = ["bin"]\n`,
      folder,
    );
    expect(await master.waitFor('stopped')).toMatchObject({ failure: { errorCode } });
    expect(await master.status()).toMatchObject({ state: 'FATAL', isWanted: true });
    holder.close();
    makeApp();
    writeFileSync(join(folder, 'bin', 'other'), 'changed');
    await master.waitFor('generationReady');
    expect((await get(port)).status).toBe(200);
    // Once only, and a reload follows the next change.
    expect(master.all('watchStarted')).toHaveLength(1);
    writeFileSync(join(folder, 'bin', 'other'), 'changed again');
    await master.waitFor('generationReady', { generation: 2 });
  },
);

test.each(['start', 'reload'])('FATAL is left by gracefulctl %s', async (command) => {
  const master = runMaster({ flags: ['--on-fatal', 'stay'], command: failsFirst(1) });
  await master.waitFor('stopped');
  // The master stays, so it is not the master that is to be started.
  expect(await ctl(master, 'scale', master.name, '2')).toMatchObject({
    code: 4,
    err: expect.stringContaining('it is stopped') as string,
  });
  expect(await ctl(master, command, '--wait', master.name)).toMatchObject({ code: 0 });
  expect(await master.status()).toMatchObject({ state: 'RUNNING', generation: 2 });
});

test('on_fatal = "exit" of one program of a config file stops the others, and ends the master with its code', async () => {
  const port = await freePort();
  const master = runFile(`
    [program.web]
    command = ["${process.execPath}", "${appPath('serves')}"]
    host = "127.0.0.1"
    port = ${port}
    [program.job]
    command = ["sh", "-c", "sleep 0.5; exit 6"]
    listen = ["127.0.0.1:0"]
    startsecs = "5s"
    startretries = 0
    on_fatal = "exit"
  `);
  expect(await master.exited).toEqual({ code: 6, signal: null });
  expect(master.all('stopped', (event) => Reflect.get(event, 'program') === 'web')).toHaveLength(1);
});

test('a program whose only worker has died too often is given up', async () => {
  const port = await freePort();
  const master = runFile(`
    [program.web]
    command = ["${process.execPath}", "${appPath('crashes-when-told')}"]
    host = "127.0.0.1"
    port = ${port}
    crash_loop = "2 in 5m"
  `);
  await master.waitFor('generationReady');
  await expect(get(port, '/crash')).rejects.toThrow();
  await master.waitFor('restartScheduled', { failures: 1 });
  // It waits in the queue until the next worker is there.
  await expect(get(port, '/crash')).rejects.toThrow();
  expect(await master.waitFor('stopped')).toMatchObject({ failure: { outcome: { code: 3 } } });
  const { code, out } = await ctl(master, 'status', '--json');
  expect(code).toBe(4);
  expect(JSON.parse(out)).toMatchObject({ state: 'FATAL', phase: 'failed' });
  await expect(get(port)).rejects.toThrow('ECONNREFUSED');
});

/** Not Node.js: it dies with code 4 soon after startsecs, each time. */
function diesSoon(port: number): string {
  return `
    [program.job]
    command = ["sh", "-c", "sleep 0.5; exit 4"]
    listen = ["127.0.0.1:${port}"]
    startsecs = "50ms"
    startretries = 0
    crash_loop = "2 in 5m"
  `;
}

test('a program that dies right after startsecs, again and again, is FATAL by its crash_loop', async () => {
  const port = await freePort();
  const master = runFile(diesSoon(port));
  expect(await master.waitFor('stopped')).toMatchObject({ failure: { outcome: { code: 4 } } });
  expect(master.all('generationReady')).toHaveLength(1);
  expect(master.all('restartScheduled')).toMatchObject([{ failures: 1, delayMs: 0 }]);
  expect(master.all('workerNotReplaced')).toMatchObject([{ why: 'crashLoop' }]);
  const { code, out } = await ctl(master, 'status', '--json');
  expect([code, JSON.parse(out)]).toMatchObject([4, { state: 'FATAL', phase: 'failed' }]);
  await expect(get(port)).rejects.toThrow('ECONNREFUSED');
});

test('with on_fatal = "exit" a crash loop ends the master with the code of the program', async () => {
  const master = runFile(`${diesSoon(await freePort())} on_fatal = "exit"`);
  expect(await master.exited).toEqual({ code: 4, signal: null });
  expect(master.all('generationReady')).toHaveLength(1);
});

test.each([
  ['is not ready in time', '["sleep", "1000"]', 'notReady'],
  ['cannot be started', '["/no/such/program"]', 'notStarted'],
])('with on_fatal = "exit" a program that %s ends the master with code 1', async (_, command, reason) => {
  const master = runFile(`
    [program.job]
    command = ${command}
    listen = ["127.0.0.1:0"]
    ready = "notify"
    ready_timeout = "100ms"
    startretries = 0
    on_fatal = "exit"
  `);
  expect(await master.exited).toEqual({ code: 1, signal: null });
  expect(await master.waitFor('stopped')).toMatchObject({ failure: { reason, outcome: null } });
});

test('a worker that is not to be replaced leaves the others alone, and its program has exited with the last of them', async () => {
  const port = await freePort();
  const master = runFile(`
    [program.web]
    command = ["${process.execPath}", "${appPath('crashes-when-told')}"]
    host = "127.0.0.1"
    port = ${port}
    workers = 2
    autorestart = "unexpected"
    exitcodes = [0, 3]
  `);
  await master.waitFor('generationReady');
  await expect(get(port, '/crash')).rejects.toThrow();
  await master.waitFor('workerNotReplaced');
  expect((await get(port)).status).toBe(200);
  expect(JSON.parse((await ctl(master, 'status', '--json')).out)).toMatchObject({
    state: 'RUNNING',
    emptySlots: [{ outcome: { code: 3 }, isGivenUp: false }],
  });
  await expect(get(port, '/crash')).rejects.toThrow();
  await master.waitFor('stopped');
  const { code, out } = await ctl(master, 'status', '--json');
  expect(JSON.parse(out)).toMatchObject({ state: 'EXITED', exit: { code: 3, isExpected: true } });
  expect(code).toBe(4);
  expect(master.child.exitCode).toBeNull();
});
