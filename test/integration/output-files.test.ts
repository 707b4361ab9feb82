// Log files of workers: what is written to stdout and stderr gets there, once and in whole lines, whatever happens meanwhile.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemCode } from '../../src/shared/errors.ts';
import { eventually } from '../helpers/eventually.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, appPath, kill, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';
import { runShop } from '../helpers/run-shop.ts';
import { isRequired } from '../helpers/required-programs.ts';

async function ask(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve(body);
      });
    }).on('error', reject);
  });
}

const command = app('writes-lines');

async function stop(master: RunningMaster): Promise<void> {
  master.signal('SIGTERM');
  await master.exited;
}

/** A master of a config file with one program, `app`. */
function runFile(folder: string, keys: readonly string[], format = 'json'): RunningMaster {
  const file = join(folder, 'graceful.toml');
  writePlan(file, keys);
  return runMaster({
    hasOwnFlags: false,
    flags: ['-c', file, '--log-level', 'debug', '--log-format', format],
    command: [],
    name: 'graceful',
  });
}

function writePlan(file: string, keys: readonly string[]): void {
  const lines = [
    '[master]',
    'name = "graceful"',
    '[program.app]',
    `command = ${JSON.stringify(command)}`,
    'listen = ["127.0.0.1:0"]',
    'probation = "0s"',
    ...keys,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
}

/** The lines of the file and of its backups, the oldest first. */
function linesIn(folder: string, name: string): readonly string[] {
  const number = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
  return readdirSync(folder)
    .filter((file) => file.startsWith(name))
    .toSorted((one, other) => number(other) - number(one))
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      if (text === '') return [];
      expect(text.endsWith('\n')).toBe(true);
      return text.slice(0, -1).split('\n');
    });
}

/** `1.0.` 1 to `count` in this order, each as it was written. */
function expectNumbered(lines: readonly string[], worker: string, count: number): void {
  const own = lines.filter((line) => line.startsWith(worker));
  expect(own).toEqual(
    Array.from({ length: count }, (_, at) => `${worker}${at + 1} ${'x'.repeat((at + 1) % 150)}`),
  );
}

test('stdout and stderr go to files of their own, named after program and slot', async () => {
  const folder = temporaryFolder();
  const master = runMaster({
    command,
    flags: [
      '--workers',
      '2',
      '--stdout-logfile',
      join(folder, '{name}-{num}.out'),
      '--stderr-logfile',
      join(folder, '{name}.err'),
    ],
  });
  const port = await master.serving();
  await ask(port, '/write?lines=3');
  await ask(port, '/write?lines=3&to=stderr');
  await stop(master);
  const files = readdirSync(folder).toSorted();
  expect(files).toEqual([`${master.name}-0.out`, `${master.name}-1.out`, `${master.name}.err`]);
  expect(linesIn(folder, `${master.name}-`)).toHaveLength(3);
  expect(linesIn(folder, `${master.name}.err`)).toHaveLength(3);
});

test('each slot of a program of a config file has its own files, named with {num}', async () => {
  const folder = temporaryFolder();
  const master = runFile(folder, [
    'workers = 2',
    'stdout_logfile = "{name}-{num}.out"',
    'stderr_logfile = "{here}/{name}-{num}.err"',
  ]);
  await master.serving();
  await stop(master);
  expect(
    readdirSync(folder)
      .filter((file) => /\.(?:out|err)$/.test(file))
      .toSorted(),
  ).toEqual(['app-0.err', 'app-0.out', 'app-1.err', 'app-1.out']);
});

test('slots and {num} stay the same when a worker is killed, and over a reload', async () => {
  const say = 'echo "$1 $GRACEFUL_RUN_WORKER"; exec "$0" "$2"';
  const { master, folder } = runShop(['workers = 2', 'probation = "0s"', 'stdout_logfile = "{num}.log"'], {
    command: ['sh', '-c', say, process.execPath, '{num}', appPath('serves')],
  });
  await master.serving();
  const killed = await master.workerPid(1, 1);
  kill(killed);
  await master.waitFor('workerReady', ({ slot, pid }) => slot === 1 && pid !== killed);
  const slots = async (generation: number): Promise<readonly number[]> =>
    (await master.status()).workers
      .filter((worker) => worker.generation === generation)
      .map(({ slot }) => slot)
      .toSorted();
  expect(await slots(1)).toEqual([0, 1]);
  await master.reload(2);
  expect(await slots(2)).toEqual([0, 1]);
  await stop(master);
  const logs = readdirSync(folder).filter((file) => file.endsWith('.log'));
  const contents = logs.map((file) => [file, readFileSync(join(folder, file), 'utf8')]);
  expect(Object.fromEntries(contents)).toEqual({ '0.log': '0 0\n'.repeat(2), '1.log': '1 1\n'.repeat(3) });
});

test('no line is lost, torn or doubled over rotations, reloads, and files that logrotate moves', async () => {
  const folder = temporaryFolder();
  const master = runFile(folder, [
    'workers = 2',
    'stdout_logfile = "{name}.log"',
    'stdout_logfile_maxbytes = "64KB"',
    'stdout_logfile_backups = 1000',
    'redirect_stderr = true',
  ]);
  const port = await master.serving();
  const counts = { '1.0.': 0, '1.1.': 0, '2.0.': 0, '2.1.': 0 };
  const writes: Promise<void>[] = [];
  const write = (to: string): void => {
    writes.push(ask(port, `/write?lines=2000&to=${to}`).then(() => undefined));
  };
  for (let at = 0; at < 6; at += 1) write(at % 2 === 0 ? 'stdout' : 'stderr');
  await Promise.all(writes.splice(0, 2));
  // As logrotate(8) does it: the file is moved, and then the master is told. While the master rotates it, there is none for a moment.
  await eventually('app.log is moved', () => {
    try {
      renameSync(join(folder, 'app.log'), join(folder, 'app.log.2000'));
      return true;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      return false;
    }
  });
  master.signal('SIGUSR1');
  await master.waitFor('logsReopened', ({ paths, problems }) => paths.length === 1 && problems.length === 0);
  await master.reload(2);
  for (let at = 0; at < 6; at += 1) write(at % 2 === 0 ? 'stdout' : 'stderr');
  await Promise.all(writes);
  await stop(master);
  const lines = linesIn(folder, 'app.log');
  expect(lines).toHaveLength(12 * 2_000);
  expect(new Set(lines).size).toBe(lines.length);
  for (const line of lines) {
    const [worker = '', number = ''] = /^(\d\.\d\.)(\d+) /.exec(line)?.slice(1) ?? [];
    expect(line).toBe(`${worker}${number} ${'x'.repeat(Number(number) % 150)}`);
    counts[worker as keyof typeof counts] += 1;
  }
  expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(lines.length);
});

test('the last words of a worker that crashes are a line, and the next worker begins another one', async () => {
  const folder = temporaryFolder();
  const [out, err] = [join(folder, 'out'), join(folder, 'err')];
  const master = runMaster({ command, flags: ['--stdout-logfile', out, '--stderr-logfile', err] });
  const port = await master.serving();
  await ask(port, '/crash').catch(() => undefined);
  const failed = await master.waitFor('workerFailed');
  await master.waitFor('workerAdmitted', {
    generation: 1,
    pid: (await master.waitFor('workerReady', ({ pid }) => pid !== failed.pid)).pid,
  });
  await ask(port, '/write?lines=1');
  await ask(port, '/write?lines=1&to=stderr');
  const { failure } = (await master.status()).lastCrash ?? {};
  expect(failure?.stderrTail).toEqual(['last words on stderr']);
  await stop(master);
  expect(readFileSync(out, 'utf8')).toBe('last words on stdout\n1.0.1 x\n');
  expect(readFileSync(err, 'utf8')).toBe('last words on stderr\n1.0.2 xx\n');
});

test('with none, nothing of stdout and stderr is seen, but for the last words of a worker that fails', async () => {
  const master = runMaster({ command, flags: ['--stdout-logfile', 'none', '--stderr-logfile', 'none'] });
  const port = await master.serving();
  await ask(port, '/write?lines=3');
  await ask(port, '/write?lines=3&to=stderr');
  await ask(port, '/crash').catch(() => undefined);
  const { failure } = await master.waitFor('workerFailed');
  expect(failure.message).toContain('SIGKILL');
  expect((await master.status()).lastCrash?.failure.stderrTail.at(-1)).toBe('last words on stderr');
  await stop(master);
  expect(master.output).not.toContain('xx');
});

test('a stdout that is forwarded goes to the stdout of the master: on a terminal behind program and pid, and is remembered for gracefulctl logs', async () => {
  const master = runMaster({
    command,
    flags: ['--stdout-logfile', 'forward', '--log-format', 'pretty', '--log-level', 'warn'],
  });
  let out = '';
  master.child.stdout?.on('data', (text: string) => (out += text));
  const listening = async (): Promise<number> => (await master.status()).listeners[0]?.port ?? 0;
  await eventually('it serves', async () => existsSync(master.controlSocket) && (await listening()) > 0);
  const port = await listening();
  await eventually('it answers', async () => (await ask(port, '/').catch(() => '')) === 'here');
  await ask(port, '/write?lines=2');
  const pid = (await master.status()).workers[0]?.pid ?? 0;
  const prefix = `${master.name}[${pid}] | `;
  const lines = `${prefix}1.0.1 x\n${prefix}1.0.2 xx\n`;
  await eventually('its lines', () => out.includes(lines));
  const { out: logs } = await gracefulctl(['logs', master.name], { XDG_RUNTIME_DIR: master.runtime });
  expect(logs).toBe(`1/${pid} | 1.0.1 x\n1/${pid} | 1.0.2 xx\n`);
});

test('log_prefix = false passes lines on as they were written, and changes while workers run', async () => {
  const folder = temporaryFolder();
  const keys = ['stdout_logfile = "forward"'];
  const master = runFile(folder, [...keys, 'log_prefix = false'], 'pretty');
  await eventually('it serves', () => master.output.includes('serves'));
  const { listeners, workers } = await master.status();
  const port = listeners[0]?.port ?? 0;
  await ask(port, '/write?lines=1');
  await eventually('its line', () => /^1\.0\.1 x$/m.test(master.output));
  writePlan(join(folder, 'graceful.toml'), keys);
  const { code } = await gracefulctl(['update'], { XDG_RUNTIME_DIR: master.runtime });
  expect(code).toBe(0);
  await ask(port, '/write?lines=1');
  const line = `\napp[${workers[0]?.pid ?? ''}] | 1.0.2 xx\n`;
  await eventually('its line with a prefix', () => master.output.includes(line));
});

test('a log file that cannot be opened is a failed start', async () => {
  const folder = temporaryFolder();
  const master = runMaster({ command, flags: ['--stdout-logfile', join(folder, 'missing', 'out.log')] });
  const { failure } = await master.waitFor('generationFailed');
  expect(failure).toMatchObject({ reason: 'notStarted', errorCode: 'logFileUnusable' });
  expect((await master.exited).code).not.toBe(0);
});

test('an update to a log file in a directory that does not exist is refused, and reloads nothing', async () => {
  const folder = temporaryFolder();
  const master = runFile(folder, ['stdout_logfile = "app.log"']);
  const port = await master.serving();
  writePlan(join(folder, 'graceful.toml'), ['stdout_logfile = "missing/app.log"']);
  master.signal('SIGHUP');
  const { problems } = await master.waitFor('planRefused');
  expect(problems).toEqual([expect.stringMatching(/program\.app\.stdout_logfile: there is no directory/)]);
  await ask(port, '/write?lines=1');
  await stop(master);
  expect(linesIn(folder, 'app.log')).toEqual(['1.0.1 x']);
});

test('a reload to a log file that cannot be opened fails, and the old workers serve on', async () => {
  const folder = temporaryFolder();
  const master = runFile(folder, ['stdout_logfile = "app.log"']);
  const port = await master.serving();
  // The check of an update looks at the file of the first worker.
  mkdirSync(join(folder, '0'));
  writePlan(join(folder, 'graceful.toml'), ['stdout_logfile = "{num}/app.log"', 'workers = 2']);
  master.signal('SIGHUP');
  const { failure } = await master.waitFor('generationFailed', { generation: 2 });
  expect(failure.errorCode).toBe('logFileUnusable');
  await ask(port, '/write?lines=1');
  await stop(master);
  expect(linesIn(folder, 'app.log')).toEqual(['1.0.1 x']);
});

test('an update of limits and format applies to workers that run', async () => {
  const folder = temporaryFolder();
  const master = runFile(folder, ['stdout_logfile = "app.log"', 'stdout_logfile_maxbytes = 0']);
  const port = await master.serving();
  await ask(port, '/write?lines=1');
  await eventually('a line', () => statSync(join(folder, 'app.log')).size > 0);
  writePlan(join(folder, 'graceful.toml'), [
    'stdout_logfile = "app.log"',
    'stdout_logfile_maxbytes = 8',
    'logfile_format = "json"',
  ]);
  master.signal('SIGHUP');
  await master.waitFor('planChanged', ({ changed }) => changed.length === 1);
  await ask(port, '/write?lines=1');
  await stop(master);
  expect(readFileSync(join(folder, 'app.log.1'), 'utf8')).toBe('1.0.1 x\n');
  expect(JSON.parse(readFileSync(join(folder, 'app.log'), 'utf8'))).toMatchObject({
    program: 'app',
    generation: 1,
    slot: 0,
    stream: 'stdout',
    line: '1.0.2 xx',
  });
});

/** A small disk; null where none can be made. */
function smallDisk(): string | null {
  const folder = temporaryFolder();
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk], { stdio: 'ignore' });
  } catch (error) {
    if (isRequired) throw error;
    return null;
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', disk]);
  });
  return disk;
}

test('when the disk is full the program goes on; what is lost is told once, and counted', async ({
  skip,
}) => {
  const disk = smallDisk();
  if (disk === null) {
    skip('needs the right to mount a file system');
    return;
  }
  const path = join(disk, 'app.log');
  const master = runMaster({ command, flags: ['--stdout-logfile', path] });
  const port = await master.serving();
  for (let at = 0; at < 3; at += 1) await ask(port, '/write?lines=1000');
  await master.waitFor('outputLost', { path, reason: 'cannotWrite' });
  expect(await ask(port, '/')).toBe('here');
  execFileSync('mount', ['-o', 'remount,size=8m', disk]);
  await ask(port, '/write?lines=2000');
  await master.waitFor('outputResumed', { path });
  await stop(master);
  const lost = master.all('outputResumed').reduce((sum, resumed) => sum + resumed.lines, 0);
  const lines = linesIn(disk, 'app.log');
  expect(lines.length + lost).toBe(5_000);
  for (const line of lines) expect(line).toMatch(/^1\.0\.\d+ x*$/);
  expect(lines.at(-1)).toMatch(/^1\.0\.5000 /);
  expect(master.all('outputLost')).toHaveLength(master.all('outputResumed').length);
});

test('a worker that floods its log is slowed down, and the master keeps little of it', async () => {
  const folder = temporaryFolder();
  const master = runMaster({
    command,
    flags: ['--stdout-logfile', join(folder, 'app.log')],
  });
  const port = await master.serving();
  const before = residentBytes(master.pid);
  await ask(port, '/write?lines=200000');
  expect(residentBytes(master.pid) - before).toBeLessThan(60 * 1024 * 1024);
  await stop(master);
  expectNumbered(linesIn(folder, 'app.log'), '1.0.', 200_000);
});

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

test.each(['/dev/stdout', '/proc/self/fd/1', '/dev/stderr'])(
  'a program can open %s, whatever its output goes to',
  async (path) => {
    const folder = temporaryFolder();
    const script = `echo opened > ${path} && exec "$0" "$@"`;
    const program = ['sh', '-c', script, ...app('serves')];
    const file = join(folder, 'log');
    for (const to of ['forward', file]) {
      const master = runMaster({ command: program, flags: ['--stdout-logfile', to, '--stderr-logfile', to] });
      await master.serving();
      await stop(master);
      if (to === file) expect(readFileSync(file, 'utf8')).toContain('opened\n');
    }
  },
);
