// `gracefulctl logs`: what workers wrote, from what the master remembers and from log files, and what they write next.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { programRoute } from '../../src/shared/control-api.ts';
import { openControl } from '../../src/shared/control-client.ts';
import { EventLog } from '../helpers/event-log.ts';
import { eventually } from '../helpers/eventually.ts';
import { built, type Ended, gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';

const command = app('writes-lines');

async function write(port: number, lines: number, to = 'stdout'): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: `/write?lines=${lines}&to=${to}`, agent: false }, (response) => {
      response.resume();
      response.on('end', resolve);
    }).on('error', reject);
  });
}

interface Line {
  readonly line: string;
  readonly generation: number | null;
  readonly worker: number | null;
  readonly stream: string | null;
}

async function ctl(master: RunningMaster, ...args: readonly string[]): Promise<Ended> {
  return gracefulctl(['logs', master.name, ...args], { XDG_RUNTIME_DIR: master.runtime });
}

async function logs(master: RunningMaster, ...args: readonly string[]): Promise<readonly Line[]> {
  const { out } = await ctl(master, '--json', ...args);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** The numbers of the lines, with the generation that wrote each. */
function numbersOf(lines: readonly Line[]): readonly string[] {
  return lines.map(
    ({ line, generation }) => `${generation ?? '?'}:${/^\d+\.\d+\.(\d+)/.exec(line)?.[1] ?? line}`,
  );
}

test('without a log file, the latest lines of stderr are shown with their generation and worker', async () => {
  const master = runMaster({ command });
  const port = await master.serving();
  await write(port, 3, 'stderr');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  await write(port, 2, 'stderr');
  await master.waitForLine('2.0.2 ');
  const shown = await ctl(master);
  const [old, young] = [await master.workerPid(1), await master.workerPid(2)];
  expect(shown.out.split('\n').slice(0, -1)).toEqual([
    `1/${old} | 1.0.1 x`,
    `1/${old} | 1.0.2 xx`,
    `1/${old} | 1.0.3 xxx`,
    `2/${young} | 2.0.1 x`,
    `2/${young} | 2.0.2 xx`,
  ]);
  expect(shown.err).toContain('stdout is not kept');
  expect(numbersOf(await logs(master, '-n', '2'))).toEqual(['2:1', '2:2']);
});

test('lines of files are shown over rotations, with the generation of those that the master remembers', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'graceful.toml');
  writeFileSync(
    file,
    [
      '[program.app]',
      `command = ${JSON.stringify(command)}`,
      'listen = ["127.0.0.1:0"]',
      'probation = "0s"',
      'stdout_logfile = "app.log"',
      'stdout_logfile_maxbytes = "64KB"',
      'logfile_compress = true',
    ].join('\n'),
  );
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', file, '--log-level', 'debug', '--log-format', 'json'],
    command: [],
    name: 'app',
  });
  const port = await master.serving();
  await write(port, 3_000);
  await master.reload(2);
  await write(port, 5);
  await eventually('the last line', async () => numbersOf(await logs(master, '-n', '1'))[0] === '2:5');
  const all = numbersOf(await logs(master, '--lines=all'));
  expect(all.slice(-5)).toEqual(['2:1', '2:2', '2:3', '2:4', '2:5']);
  expect(all).toHaveLength(3_005);
  expect(all.map((one) => Number(one.split(':')[1])).slice(0, 3_000)).toEqual(
    Array.from({ length: 3_000 }, (_, at) => at + 1),
  );
  // The oldest are no longer remembered.
  expect(all[0]).toBe('?:1');
  expect(all[2_999]).toBe('1:3000');
  expect(numbersOf(await logs(master, '-n', '2500'))).toEqual(all.slice(-2_500));
});

test('--since shows what is not older, and says when a file does not tell', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'app.log');
  appendFileSync(path, 'from before the master\n');
  const master = runMaster({ command, flags: ['--stdout-logfile', path] });
  const port = await master.serving();
  await write(port, 1);
  await eventually('the line', async () => (await logs(master)).length === 2);
  const shown = await ctl(master, '--since', '10m');
  expect(shown.out).toContain('1.0.1 x');
  expect(shown.out).not.toContain('before');
  expect(shown.err).toContain('have no time');
});

test('-f goes on with what is written next, and loses nothing in between', async () => {
  const folder = temporaryFolder();
  const master = runMaster({ command, flags: ['--stdout-logfile', join(folder, 'app.log')] });
  const port = await master.serving();
  const writing = write(port, 2_000);
  const route = `${programRoute(master.name, 'logs')}?follow=true`;
  const opened = await openControl({ path: master.controlSocket, method: 'GET', route });
  if ('noAnswer' in opened) throw new Error('no answer');
  await writing;
  await write(port, 10);
  let text = '';
  while (!text.includes('1.0.2010 ')) {
    const { value, done } = await opened.body.next();
    if (done === true) throw new Error(`it ended: ${text.slice(-200)}`);
    text += value;
  }
  opened.close();
  const numbers = [...text.matchAll(/1\.0\.(\d+) /g)].map(([, number]) => Number(number));
  expect(numbers).toEqual(Array.from({ length: 2_010 }, (_, at) => at + 1));
});

test('--stderr leaves out stdout, also of a file that both go to', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'app.log');
  const master = runMaster({ command, flags: ['--stdout-logfile', path, '--stderr-logfile', path] });
  const port = await master.serving();
  await write(port, 1);
  await write(port, 1, 'stderr');
  await eventually('both lines', async () => (await logs(master)).length === 2);
  expect((await logs(master, '--stderr')).map(({ line, stream }) => [stream, line])).toEqual([
    ['stderr', '1.0.2 xx'],
  ]);
});

test('a follower that does not read costs the master no memory, and learns what it has missed', async () => {
  const folder = temporaryFolder();
  const master = runMaster({ command, flags: ['--stdout-logfile', join(folder, 'app.log')] });
  const port = await master.serving();
  const route = `${programRoute(master.name, 'logs')}?follow=true&lines=0`;
  const opened = await openControl({ path: master.controlSocket, method: 'GET', route });
  if ('noAnswer' in opened) throw new Error('no answer');
  await write(port, 100_000);
  let text = '';
  while (!text.includes('"notice":"')) {
    const { value, done } = await opened.body.next();
    if (done === true) throw new Error('it ended');
    text = text.slice(-200) + value;
  }
  opened.close();
  expect(text).toContain('bytes were skipped because the reader was too slow');
});

test('a query that is wrong is refused', async () => {
  const master = runMaster({ command });
  await master.serving();
  for (const query of ['lines=many', 'since=-1', 'stream=stdin', 'follow=1', 'tail=3']) {
    const route = `${programRoute(master.name, 'logs')}?${query}`;
    const opened = await openControl({ path: master.controlSocket, method: 'GET', route });
    expect('status' in opened ? opened.status : null).toBe(400);
    if ('close' in opened) opened.close();
  }
});

test('the files of workers that were added are read as well', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, '1.log'), 'from before\n');
  const master = runMaster({ command, flags: ['--stdout-logfile', join(folder, '{num}.log')] });
  await master.serving();
  expect(await logs(master, '--lines=all')).toEqual([]);
  await gracefulctl(['scale', master.name, '2'], { XDG_RUNTIME_DIR: master.runtime });
  expect((await logs(master, '--lines=all')).map(({ line }) => line)).toEqual(['from before']);
});

/** `gracefulctl logs -f`: what it has printed, and how it ends. */
interface Follower {
  readonly child: ChildProcess;
  readonly out: EventLog;
  readonly err: EventLog;
  readonly code: Promise<number | null>;
}

function follow(master: RunningMaster, ...args: readonly string[]): Follower {
  const child = spawn(process.execPath, [built, 'logs', '-f', ...args], {
    env: { ...process.env, FORCE_COLOR: '0', XDG_RUNTIME_DIR: master.runtime },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [out, err] = [new EventLog(), new EventLog()];
  out.read(child.stdout);
  err.read(child.stderr);
  const code = once(child, 'close').then(() => child.exitCode);
  return { child, out, err, code };
}

interface Town {
  readonly master: RunningMaster;
  readonly ports: Readonly<Record<'shop' | 'mail', number>>;
}

/** A master of two programs that serve. */
async function runTown(): Promise<Town> {
  const file = join(temporaryFolder(), 'graceful.toml');
  const program = (name: string): readonly string[] => [
    `[program.${name}]`,
    `command = ${JSON.stringify(command)}`,
    'listen = ["127.0.0.1:0"]',
    'probation = "0s"',
    `stdout_logfile = "${name}.log"`,
  ];
  writeFileSync(file, ['[master]', 'name = "town"', ...program('shop'), ...program('mail')].join('\n'));
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', file, '--log-level', 'debug', '--log-format', 'json'],
    command: [],
    name: 'town',
  });
  const portOf = async (program: string): Promise<number> => {
    const isOf = (event: object): boolean => Reflect.get(event, 'program') === program;
    await master.waitFor('generationReady', isOf);
    return (await master.waitFor('listenerBound', isOf)).port ?? 0;
  };
  return { master, ports: { shop: await portOf('shop'), mail: await portOf('mail') } };
}

test('logs -f prints what is there and then what is written, over a reload, and ends with 0 when the master stops', async () => {
  const folder = temporaryFolder();
  const master = runMaster({ command, flags: ['--stdout-logfile', join(folder, 'app.log')] });
  const port = await master.serving();
  await write(port, 2);
  const follower = follow(master, master.name);
  await follower.out.waitForLine('1.0.2 ');
  await write(port, 1);
  await follower.out.waitForLine('1.0.3 ');
  await master.reload(2);
  await write(port, 1);
  await follower.out.waitForLine('2.0.1 ');
  const [old, young] = [await master.workerPid(1), await master.workerPid(2)];
  master.signal('SIGTERM');
  expect(await follower.code).toBe(0);
  expect(follower.out.lines).toEqual([
    `1/${old} | 1.0.1 x`,
    `1/${old} | 1.0.2 xx`,
    `1/${old} | 1.0.3 xxx`,
    `2/${young} | 2.0.1 x`,
  ]);
  expect(follower.err.output).toBe('');
});

test('logs -f of a master that is killed says that the connection broke off, and ends with 1', async () => {
  const folder = temporaryFolder();
  const master = runMaster({ command, flags: ['--stdout-logfile', join(folder, 'app.log')] });
  const port = await master.serving();
  await write(port, 1);
  const follower = follow(master, master.name);
  await follower.out.waitForLine('1.0.1 ');
  master.signal('SIGKILL');
  expect([await follower.code, follower.err.output]).toEqual([
    1,
    expect.stringMatching(/cannot show the logs any longer[^]*gracefulctl list/),
  ]);
});

test.each([{ names: ['all'] }, { names: ['shop', 'mail'] }])(
  'logs -f $names prints the lines of each program with its name',
  async ({ names }) => {
    const { master, ports } = await runTown();
    await write(ports.shop, 1);
    const follower = follow(master, ...names);
    await follower.out.waitForLine('1.0.1 ');
    await write(ports.mail, 1);
    await follower.out.waitForLine('1.0.1 ', 2);
    await write(ports.shop, 1);
    await follower.out.waitForLine('1.0.2 ');
    expect(follower.out.lines.map((line) => line.replace(/\d+ \|/, 'pid |'))).toEqual([
      'shop 1/pid | 1.0.1 x',
      'mail 1/pid | 1.0.1 x',
      'shop 1/pid | 1.0.2 xx',
    ]);
    expect(follower.err.output).toBe('');
    master.signal('SIGTERM');
    expect(await follower.code).toBe(0);
  },
);

test('logs -f of one program of several shows no other', async () => {
  const { master, ports } = await runTown();
  const follower = follow(master, 'mail');
  await write(ports.shop, 1);
  await write(ports.mail, 2);
  await follower.out.waitForLine('1.0.2 ');
  expect(follower.out.lines.map((line) => line.replace(/\d+ \|/, 'pid |'))).toEqual([
    '1/pid | 1.0.1 x',
    '1/pid | 1.0.2 xx',
  ]);
  // Ctrl-C is how its users end it.
  follower.child.kill('SIGINT');
  await follower.code;
  expect(follower.err.output).toBe('');
});

test('logs -f prints what there is of a name that is wrong beside one that is right, and ends with 3', async () => {
  const { master, ports } = await runTown();
  await write(ports.shop, 1);
  const follower = follow(master, 'shop', 'sohp');
  await follower.out.waitForLine('1.0.1 ');
  await follower.err.waitForLine('sohp');
  master.signal('SIGTERM');
  expect(await follower.code).toBe(3);
});

test.each([{ names: ['all'] }, { names: ['mail', 'shop'] }])(
  'logs $names prints one program after the other, in the order of the config file',
  async ({ names }) => {
    const { master, ports } = await runTown();
    await write(ports.mail, 1);
    await write(ports.shop, 2);
    let shown: readonly string[] = [];
    await eventually('all lines are in the files', async () => {
      const { code, out, err } = await gracefulctl(['logs', ...names], { XDG_RUNTIME_DIR: master.runtime });
      expect([code, err]).toEqual([0, '']);
      shown = [...out.matchAll(/^(\w+) 1\/\d+ \| (\S+) /gm)].map((match) => match.slice(1).join(' '));
      return shown.length === 3;
    });
    expect(shown).toEqual(['shop 1.0.1', 'shop 1.0.2', 'mail 1.0.1']);
  },
);
