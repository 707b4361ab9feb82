// A master with a config file, as an operator runs it: the file is edited, and the master told to read it again.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { startHost } from '../helpers/run-host.ts';
import { appPath, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { built, gracefulctl, outcomeOf } from '../helpers/run-gracefulctl.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failuresOf } from '../helpers/tally.ts';

interface Served {
  readonly pid: number;
  readonly generation: number;
  readonly variable: string | null;
}

async function who(port: number): Promise<Served> {
  return JSON.parse((await get(port)).body) as Served;
}

function table(name: string, ports: readonly number[], variable = '1'): string {
  const addresses = ports.map((port) => `"127.0.0.1:${port}"`).join(', ');
  return [
    `[program.${name}]`,
    `command = "${process.execPath} ${appPath('listens-on-ports')}"`,
    `listen = [${addresses}]`,
    `environment = { PORTS = "${ports.join(',')}", VARIABLE = "${variable}" }`,
    'probation = "0s"',
    '',
  ].join('\n');
}

/** Whether an event is about this program and generation. */
function of(program: string, generation = 1): (event: object) => boolean {
  return (event) =>
    Reflect.get(event, 'program') === program && Reflect.get(event, 'generation') === generation;
}

function env({ runtime }: RunningMaster): NodeJS.ProcessEnv {
  return { XDG_RUNTIME_DIR: runtime };
}

interface Setup {
  readonly master: RunningMaster;
  readonly write: (...tables: readonly string[]) => void;
}

function start(...tables: readonly string[]): Setup {
  const { master, write } = startHost(['', ...tables].join('\n'));
  return {
    master,
    write: (...texts) => {
      write(['', ...texts].join('\n'));
    },
  };
}

test('update adds, changes and removes programs, and leaves the others as they are', async () => {
  const [a, b, c] = [await freePort(), await freePort(), await freePort()];
  const { master, write } = start(table('shop', [a]), table('mail', [b]));
  await master.waitFor('generationReady', of('shop'));
  await master.waitFor('generationReady', of('mail'));
  const { pid } = await who(b);
  const load = startLoad({ port: a, mode: 'keepAlive', clients: 4, paceMs: 5 });
  await load.moreAnswers(20);

  write(table('shop', [a], '2'), table('mail', [b]), table('extra', [c]));
  const planned = await gracefulctl(['update', '--dry-run'], env(master));
  expect(planned.code).toBe(0);
  expect(planned.out).toContain('extra');
  expect(planned.out).toContain('environment');
  await expect(get(c)).rejects.toThrow('ECONNREFUSED');

  const updated = await gracefulctl(['update'], env(master));
  expect(updated).toMatchObject({ code: 0 });
  expect(await who(a)).toMatchObject({ generation: 2, variable: '2' });
  expect((await who(c)).generation).toBe(1);

  write(table('shop', [a], '2'), table('mail', [b]));
  expect(await gracefulctl(['update'], env(master))).toMatchObject({ code: 0 });
  await expect(get(c)).rejects.toThrow('ECONNREFUSED');
  await load.moreAnswers(20);
  const tally = await load.stop();
  expect([failuresOf(tally), tally.closedIdle]).toEqual([0, 0]);
  expect((await who(b)).pid).toBe(pid);
});

test('a dry run tells what the update would be refused for, of programs that are new and that change', async () => {
  const [a, b] = [await freePort(), await freePort()];
  const { master, write } = start(table('shop', [a]));
  await master.waitFor('generationReady', of('shop'));
  const { pid } = await who(a);
  const missing = (name: string, port: number): string =>
    table(name, [port]).replace(process.execPath, 'no-such-command');
  write(missing('shop', a), missing('extra', b));
  const planned = await gracefulctl(['update', '--dry-run'], env(master));
  const updated = await gracefulctl(['update'], env(master));
  expect(planned.code).toBe(2);
  expect(planned.err).toMatch(/graceful\.toml:5:11: program\.shop\.command: .*no-such-command/);
  expect(planned.err).toMatch(/graceful\.toml:11:11: program\.extra\.command: .*no-such-command/);
  expect([updated.code, updated.err.split('\n').sort()]).toEqual([2, planned.err.split('\n').sort()]);
  expect(await who(a)).toMatchObject({ pid, generation: 1 });
});

test('what could not be started or watched is told before anything is changed, every fault of every program', async () => {
  const [a, b, c] = [await freePort(), await freePort(), await freePort()];
  const { master, write } = start(table('shop', [a]), table('mail', [b]), table('good', [c]));
  for (const name of ['shop', 'mail', 'good']) await master.waitFor('generationReady', of(name));
  const pids = [(await who(a)).pid, (await who(c)).pid];
  write(
    `${table('shop', [a])}watch = ["gone"]\nstdout_logfile = "missing/shop.log"\ncpu_affinity = "99999"`,
    table('mail', [b]).replace(appPath('listens-on-ports'), 'missing.js'),
    table('good', [c], '2'),
  );
  const planned = await gracefulctl(['update', '--dry-run'], env(master));
  const updated = await gracefulctl(['update'], env(master));
  const told = (err: string): string => err.replace(/ pid \d+/, '');
  expect([updated.code, told(updated.err)]).toEqual([2, told(planned.err)]);
  expect(updated.err.trim().split('\n').slice(1)).toEqual([
    expect.stringMatching(/:9:10: program\.shop\.watch\[0\]: cannot watch .*gone: no such file/),
    expect.stringMatching(/:10:18: program\.shop\.stdout_logfile: there is no directory .*missing/),
    expect.stringMatching(/:11:16: program\.shop\.cpu_affinity: /),
    expect.stringMatching(/:13:11: program\.mail\.command: there is no file .*missing\.js/),
  ]);
  expect([(await who(a)).pid, (await who(c)).pid]).toEqual(pids);
  expect(master.all('planChanged')).toEqual([]);
});

test('SIGHUP reads the file again and then reloads every program, those that the update has reloaded only once', async () => {
  const [a, b] = [await freePort(), await freePort()];
  const { master, write } = start(table('shop', [a]), table('mail', [b]));
  await master.waitFor('generationReady', of('shop'));
  await master.waitFor('generationReady', of('mail'));
  write(table('shop', [a], '2'), table('mail', [b]));
  master.signal('SIGHUP');
  await master.waitFor('generationReady', of('shop', 2));
  await master.waitFor('generationReady', of('mail', 2));
  expect(await who(a)).toMatchObject({ generation: 2, variable: '2' });
  expect(master.all('planChanged')).toMatchObject([{ changed: ['shop'] }]);
  expect(master.all('generationStarted').filter(({ generation }) => generation === 3)).toEqual([]);
});

test('SIGHUP starts a program again that is to run and has failed', async () => {
  const [a, b] = [await freePort(), await freePort()];
  const folder = temporaryFolder();
  const script = join(folder, 'late.cjs');
  const late = table('late', [b]).replace(appPath('listens-on-ports'), script);
  const { master } = start(table('shop', [a]), late);
  await master.waitFor('generationFailed', of('late'));
  await master.waitFor('generationReady', of('shop'));
  writeFileSync(script, `require(${JSON.stringify(appPath('listens-on-ports'))});`);
  master.signal('SIGHUP');
  await master.waitFor('generationReady', (event) => Reflect.get(event, 'program') === 'late');
  expect((await who(b)).pid).toBeGreaterThan(0);
});

test('a broken file changes nothing, neither by an update nor by SIGHUP, and every problem is told', async () => {
  const a = await freePort();
  const { master, write } = start(table('shop', [a]));
  await master.waitFor('generationReady', of('shop'));
  const { pid } = await who(a);
  write(table('shop', [a]).replace('probation', 'probationn'), '[program.other]\ncommand = 5\n');
  const { code, err } = await gracefulctl(['update'], env(master));
  expect(code).toBe(2);
  expect(err).toContain('did you mean probation?');
  expect(err).toContain('program.other.command');
  master.signal('SIGHUP');
  await eventually('both were refused', () => master.all('planRefused').length === 2);
  expect(await who(a)).toMatchObject({ pid, generation: 1 });
  expect(master.all('reloadRequested')).toEqual([]);
});

interface Reading {
  readonly master: RunningMaster;
  /** The process that reads the file, and does not come to an end. */
  readonly pid: number;
}

/** A master whose config file is read again and again runs this code then. */
async function readingFor(ever: string): Promise<Reading> {
  const [a, folder] = [await freePort(), temporaryFolder()];
  const reading = join(folder, 'reading');
  writeFileSync(
    join(folder, 'graceful.mjs'),
    `import { existsSync, writeFileSync } from 'node:fs';
     const reading = ${JSON.stringify(reading)};
     if (existsSync(reading)) {
       writeFileSync(reading, String(process.pid));
       ${ever}
     }
     const command = [${JSON.stringify(process.execPath)}, ${JSON.stringify(appPath('listens-on-ports'))}];
     const shop = { command, listen: ['127.0.0.1:${a}'], environment: { PORTS: '${a}' }, rescue: '0s' };
     export default { master: { name: 'host' }, program: { shop } };`,
  );
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', 'graceful.mjs', '--log-format', 'json'],
    command: [],
    cwd: folder,
    name: 'host',
  });
  await master.waitFor('generationReady', of('shop'));
  writeFileSync(reading, '');
  master.signal('SIGHUP');
  await eventually('the file is read', () => readFileSync(reading, 'utf8') !== '');
  return { master, pid: Number(readFileSync(reading, 'utf8')) };
}

describe.each([
  ['waits', 'await new Promise(() => setInterval(() => {}, 1e6));'],
  ['loops', 'for (;;);'],
])('the process that reads a file which %s for ever', (_, ever) => {
  test('ends with a master that stops', async () => {
    const { master, pid } = await readingFor(ever);
    master.signal('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    await eventually('the process that reads has ended', () => !isAlive(pid));
  });

  test('ends with a master that is killed', async () => {
    const { master, pid } = await readingFor(ever);
    master.signal('SIGKILL');
    expect(await master.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await eventually('the process that reads has ended', () => !isAlive(pid));
  });
});

test('an update that fails prints the difference on stdout, and its failure on stderr, one after the other', async () => {
  const [a, b] = [await freePort(), await freePort()];
  const { master, write } = start(table('shop', [a]), table('mail', [b]));
  await master.waitFor('generationReady', of('shop'));
  await master.waitFor('generationReady', of('mail'));
  write(
    table('shop', [a], '2').replace(appPath('listens-on-ports'), appPath('exits-before-ready')),
    table('mail', [b], '2'),
  );
  const { code, out, err } = await gracefulctl(['update'], env(master));
  expect(code).toBe(1);
  expect(out.split('\n')).toEqual([
    expect.stringMatching(/^~ shop: command, environment /),
    expect.stringMatching(/^~ mail: environment /),
    expect.stringMatching(/^shop: not reloaded: /),
    'mail: reloaded',
    '',
  ]);
  expect(err.split('\n').slice(0, 1)).toEqual(['gracefulctl: cannot update: 1 of 2 programs failed']);
  // Both in one pipe: a change that has failed is tried again.
  const both = await outcomeOf(
    spawn('sh', ['-c', 'exec "$@" 2>&1', 'sh', process.execPath, built, 'update'], {
      env: { ...process.env, FORCE_COLOR: '0', ...env(master) },
    }),
  );
  expect(both.out).toMatch(/^~ shop: [^]*\nshop: not reloaded: [^]*\ngracefulctl: cannot update: /);
});

test('a key of [master] that needs a new start is named by every update until then', async () => {
  const a = await freePort();
  const { master, write } = start(table('shop', [a]));
  await master.waitFor('generationReady', of('shop'));
  write('log_level = "debug"', table('shop', [a]));
  for (let times = 0; times < 2; times += 1)
    expect((await gracefulctl(['update'], env(master))).out).toBe(
      '~ the master: log_level (takes effect when it is started again)\n',
    );
  write(table('shop', [a]));
  expect((await gracefulctl(['update'], env(master))).out).toMatch(/^nothing to update: /);
});
