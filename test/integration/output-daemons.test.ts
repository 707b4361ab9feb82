// Output that goes to the daemons of the system that collect logs: real ones, each with a socket of its own, and readers that are missing or have stopped.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { app, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';
import { canRun, mayRun, programFolders } from '../helpers/required-programs.ts';

const path = programFolders.join(':');
const reader = new URL('../fixtures/reads-datagrams.py', import.meta.url).pathname;

function ask(port: number, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: url, agent: false }, (response) => {
      response.resume().on('end', resolve);
    }).on('error', reject);
  });
}

function runFile(keys: readonly string[]): RunningMaster {
  const file = join(temporaryFolder(), 'graceful.toml');
  const lines = [
    '[master]',
    'name = "graceful"',
    '[program.shop]',
    `command = ${JSON.stringify(app('writes-lines'))}`,
  ];
  writeFileSync(file, [...lines, 'listen = ["127.0.0.1:0"]', 'probation = "0s"', ...keys].join('\n'));
  const flags = ['-c', file, '--log-level', 'debug', '--log-format', 'json'];
  return runMaster({ hasOwnFlags: false, flags, command: [], name: 'graceful' });
}

function untilEnd(child: ChildProcess): void {
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
}

/** Returns what ends it. Its socket is `log` in the folder, and it writes to `out`. */
async function startRsyslog(folder: string): Promise<() => Promise<void>> {
  const config = join(folder, 'rsyslog.conf');
  const template = '%syslogfacility-text% %syslogseverity-text% %programname% %procid%:%msg%\\n';
  writeFileSync(
    config,
    [
      `global(workDirectory="${folder}")`,
      'module(load="imuxsock" SysSock.Use="off")',
      `input(type="imuxsock" Socket="${join(folder, 'log')}" RateLimit.Interval="0")`,
      `template(name="all" type="string" string="${template}")`,
      `action(type="omfile" file="${join(folder, 'out')}" template="all")`,
      '',
    ].join('\n'),
  );
  const child = spawn('rsyslogd', ['-n', '-f', config, '-i', join(folder, 'pid')], {
    env: { ...process.env, PATH: path },
    stdio: 'ignore',
  });
  untilEnd(child);
  await eventually('rsyslog listens', () => existsSync(join(folder, 'log')));
  return async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
}

test.runIf(canRun(['rsyslogd']))(
  'rsyslog gets each line with program, pid, facility and severity, and loses none while it is restarted',
  async () => {
    const folder = temporaryFolder();
    const end = await startRsyslog(folder);
    const master = runFile([
      `stdout_logfile = "syslog:${join(folder, 'log')}"`,
      'redirect_stderr = true',
      'syslog_facility = "local3"',
    ]);
    const port = await master.serving();
    const lines = (): readonly string[] =>
      existsSync(join(folder, 'out')) ? readFileSync(join(folder, 'out'), 'utf8').trim().split('\n') : [];
    await ask(port, '/write?lines=1000');
    // The two streams are two pipes: a line of one can overtake those that are still in the other.
    await eventually('all lines of stdout', () => lines().length === 1000);
    await ask(port, '/write?lines=1&to=stderr');
    await eventually('all lines', () => lines().length === 1001);
    const pid = await master.workerPid(1);
    expect(lines()[0]).toBe(`local3 info shop ${pid}: 1.0.1 x`);
    expect(lines()[1000]).toBe(`local3 err shop ${pid}: 1.0.1001 ${'x'.repeat(1001 % 150)}`);
    await end();
    await ask(port, '/write?lines=500');
    await startRsyslog(folder);
    await eventually('all lines', () => lines().length === 1501);
    expect(lines().map((line) => Number(/1\.0\.(\d+)/.exec(line)?.[1]))).toEqual(
      Array.from({ length: 1501 }, (_, at) => at + 1),
    );
    expect(master.all('outputLost')).toEqual([]);
  },
);

/** systemd-journald with a /run of its own; its sockets are in the folder `sockets`, and its journal in `journal`. False: this process may not make one. */
async function startJournald(folder: string): Promise<boolean> {
  for (const name of ['sockets', 'journal']) mkdirSync(join(folder, name));
  const script = [
    'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal',
    'mount --bind "$0/sockets" /run/systemd/journal && mount --bind "$0/journal" /run/log/journal',
    'exec /lib/systemd/systemd-journald',
  ].join(' && ');
  const child = spawn('unshare', ['-m', 'sh', '-c', script, folder], { stdio: 'ignore' });
  untilEnd(child);
  await eventually(
    'journald listens, or has ended',
    () => child.exitCode !== null || existsSync(join(folder, 'sockets', 'socket')),
  );
  return child.exitCode === null;
}

test.runIf(mayRun(existsSync('/lib/systemd/systemd-journald')))(
  'the journal gets each line with its fields, and its socket for syslog the others',
  async ({ skip }) => {
    const folder = temporaryFolder();
    skip(!mayRun(await startJournald(folder)), 'only root can give it a /run of its own');
    const master = runFile([
      `stdout_logfile = "journal:${join(folder, 'sockets/socket')}"`,
      `stderr_logfile = "syslog:${join(folder, 'sockets/dev-log')}"`,
    ]);
    const port = await master.serving();
    await ask(port, '/write?lines=3');
    await ask(port, '/write?lines=1&to=stderr');
    const entries = (match: string): readonly Readonly<Record<string, string>>[] =>
      execFileSync('journalctl', ['-D', join(folder, 'journal'), '-o', 'json', match], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
    await eventually('the lines', () => entries('SYSLOG_IDENTIFIER=shop').length === 4);
    const pid = String(await master.workerPid(1));
    const [first, second, third] = entries('GRACEFUL_RUN_PROGRAM=shop');
    expect([second?.['MESSAGE'], third?.['MESSAGE']]).toEqual(['1.0.2 xx', '1.0.3 xxx']);
    expect(first).toMatchObject({
      MESSAGE: '1.0.1 x',
      PRIORITY: '6',
      SYSLOG_FACILITY: '3',
      SYSLOG_IDENTIFIER: 'shop',
      SYSLOG_PID: pid,
      GRACEFUL_RUN_GENERATION: '1',
      GRACEFUL_RUN_WORKER: '0',
      GRACEFUL_RUN_STREAM: 'stdout',
      _PID: String(master.pid),
      _TRANSPORT: 'journal',
    });
    expect(entries('_TRANSPORT=syslog')).toMatchObject([
      {
        MESSAGE: '1.0.4 xxxx',
        PRIORITY: '3',
        SYSLOG_FACILITY: '3',
        SYSLOG_IDENTIFIER: 'shop',
        SYSLOG_PID: pid,
      },
    ]);
  },
);

/** A reader of datagrams. `reads`: what it has read. */
function startReader(socket: string, mode: 'reads' | 'waits'): { child: ChildProcess; reads: () => string } {
  const child = spawn('python3', [reader, socket, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  untilEnd(child);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  return { child, reads: () => text };
}

test('a daemon that is missing is told once, keeps nothing from being served, and is found when it comes', async () => {
  const socket = join(temporaryFolder(), 'log');
  const master = runFile([`stdout_logfile = "syslog:${socket}"`]);
  const port = await master.serving();
  await ask(port, '/write?lines=10');
  const lost = await master.waitFor('outputLost', { path: socket, reason: 'cannotWrite' });
  expect(lost.problem).toContain('no daemon');
  await master.reload(2);
  await ask(port, '/write?lines=10');
  const { reads } = startReader(socket, 'reads');
  await eventually('the daemon gets lines', async () => {
    await ask(port, '/write?lines=1');
    return reads().includes('shop[');
  });
  await eventually('it is told', async () => {
    await ask(port, '/write?lines=1');
    return master.all('outputResumed').length === 1;
  });
  expect(master.all('outputLost')).toHaveLength(1);
  expect(master.all('outputResumed')[0]?.lines).toBeGreaterThanOrEqual(20);
});

test('a daemon that has stopped reading makes workers wait, loses nothing, and the master goes on', async () => {
  const socket = join(temporaryFolder(), 'log');
  const { child, reads } = startReader(socket, 'waits');
  await eventually('it listens', () => existsSync(socket));
  const master = runFile([`stdout_logfile = "syslog:${socket}"`]);
  const port = await master.serving();
  const before = residentBytes(master.pid);
  const written = ask(port, '/write?lines=40000');
  let isWritten = false;
  void written.then(() => (isWritten = true));
  for (let at = 0; at < 50; at += 1) await ask(port, '/');
  expect((await master.status()).phase).toBe('serving');
  child.kill('SIGUSR1');
  await written;
  expect(isWritten).toBe(true);
  await eventually('all lines', () => reads().includes(' 1.0.40000 '), 30_000);
  const numbers = reads()
    .trim()
    .split('\n')
    .map((line) => Number(/ 1\.0\.(\d+) /.exec(line)?.[1]));
  expect(numbers).toEqual(Array.from({ length: 40_000 }, (_, at) => at + 1));
  expect(residentBytes(master.pid) - before).toBeLessThan(40 * 1024 * 1024);
  expect(master.all('outputLost')).toEqual([]);
}, 90_000);

test('with drop, no worker waits for a daemon that has stopped reading, and what is lost is counted', async () => {
  const socket = join(temporaryFolder(), 'log');
  const { child } = startReader(socket, 'waits');
  await eventually('it listens', () => existsSync(socket));
  const master = runFile([`stdout_logfile = "syslog:${socket}"`, 'logfile_overflow = "drop"']);
  const port = await master.serving();
  await ask(port, '/write?lines=60000');
  await master.waitFor('outputLost', { reason: 'tooFast' });
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  child.kill('SIGUSR1');
  await eventually(
    'lines are sent again',
    async () => {
      await ask(port, '/write?lines=1');
      return master.all('outputResumed').length === 1;
    },
    30_000,
  );
  expect(master.all('outputResumed')[0]?.lines).toBeGreaterThan(10_000);
}, 90_000);

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}
