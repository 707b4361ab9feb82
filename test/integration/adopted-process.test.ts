// Programs whose process a pid file names: daemons that fork away, or that run already. Each test runs a real one.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { startHost } from '../helpers/run-host.ts';
import { appPath, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { isRoot, mayRun } from '../helpers/required-programs.ts';

const daemonScript = appPath('serves').replace(/serves\.cjs$/, 'daemon.py');

interface Place {
  readonly folder: string;
  readonly file: string;
  /** What has happened to the daemons. */
  readonly notes: () => readonly string[];
  readonly pid: () => number;
}

function place(): Place {
  const folder = temporaryFolder();
  const file = join(folder, 'd.pid');
  const notes = (): readonly string[] =>
    existsSync(`${file}.log`) ? readFileSync(`${file}.log`, 'utf8').trim().split('\n') : [];
  const pid = (): number => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
  onTestFinished(() => {
    for (const note of notes()) {
      const started = Number.parseInt(note, 10);
      if (isDaemon(started)) process.kill(started, 'SIGKILL');
    }
  });
  return { folder, file, notes, pid };
}

function isDaemon(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('daemon.py');
  } catch {
    return false;
  }
}

function run(
  { folder, file }: Place,
  words: readonly string[] = [],
  keys = '',
  command: readonly string[] = ['python3', daemonScript, file, ...words],
): RunningMaster {
  return startHost(
    `[program.d]\ntype = "worker"\nstartsecs = "100ms"\nadopt_pid_file = "d.pid"\ncommand = ${JSON.stringify(command)}\n${keys}`,
    folder,
  ).master;
}

async function stop(master: RunningMaster): Promise<void> {
  master.signal('SIGTERM');
  await master.exited;
}

/** Starts a daemon as a boot script would. */
function startDaemon({ file, pid }: Place): number {
  execFileSync('python3', [daemonScript, file]);
  const until = performance.now() + 5_000;
  while (pid() === 0 && performance.now() < until) spawnSync('sleep', ['0.01']);
  return pid();
}

test('the command starts the daemon and ends: the daemon is the worker, gets the signals, and is started again when it dies', async () => {
  const at = place();
  const master = run(at);
  const adopted = await master.waitFor('workerAdopted');
  expect(adopted).toMatchObject({ how: 'started', pid: at.pid() });
  await master.waitFor('generationReady');
  const status = await master.status();
  expect(status.workers).toMatchObject([{ pid: at.pid(), state: 'ready' }]);
  const first = at.pid();
  process.kill(first, 'SIGKILL');
  const second = await master.waitFor('workerAdopted', ({ pid }) => pid !== first);
  expect(second).toMatchObject({ how: 'started', slot: 0 });
  await master.waitFor('workerReady', { pid: second.pid ?? 0 });
  master.signal('SIGTERM');
  expect((await master.exited).code).toBe(0);
  expect(at.notes().at(-1)).toBe(`${second.pid} got SIGTERM`);
  expect(isDaemon(second.pid ?? 0)).toBe(false);
}, 30_000);

test('one that runs already is adopted and not started twice, and is stopped with the master', async () => {
  const at = place();
  const pid = startDaemon(at);
  const master = run(at);
  expect(await master.waitFor('workerAdopted')).toMatchObject({ how: 'running', pid });
  await master.waitFor('generationReady');
  expect(at.notes()).toEqual([`${pid} runs`]);
  // Its end is noticed, although it is no child of the master, and then the command starts another one.
  process.kill(pid, 'SIGKILL');
  const next = await master.waitFor('workerAdopted', { how: 'started' });
  expect(isDaemon(next.pid ?? 0)).toBe(true);
  master.signal('SIGTERM');
  await master.exited;
  expect(isDaemon(next.pid ?? 0)).toBe(false);
}, 30_000);

test('a daemon outlives a master that is killed, and the next master adopts it', async () => {
  const at = place();
  const killed = run(at);
  await killed.waitFor('generationReady');
  const pid = at.pid();
  killed.signal('SIGKILL');
  await killed.exited;
  expect(isDaemon(pid)).toBe(true);
  const next = run(at);
  expect(await next.waitFor('workerAdopted')).toMatchObject({ how: 'running', pid });
  next.signal('SIGTERM');
  await next.exited;
  expect(at.notes().slice(-1)).toEqual([`${pid} got SIGTERM`]);
}, 30_000);

test('a file that changes to another process while that takes over is followed, and nothing is started', async () => {
  const at = place();
  const master = run(at, ['handsover']);
  await master.waitFor('generationReady');
  const first = at.pid();
  process.kill(first, 'SIGUSR1');
  const { pid } = await master.waitFor('workerAdopted', { how: 'changed' });
  expect(pid).toBe(at.pid());
  expect(pid).not.toBe(first);
  expect(master.all('workerStarted')).toHaveLength(1);
  await stop(master);
  expect(at.notes().at(-1)).toBe(`${pid} got SIGTERM`);
}, 30_000);

test('a stop in the moment of a handover reaches the new process', async () => {
  const at = place();
  const before = startDaemon(at);
  const master = run(at, [], 'adopt_grace = "20s"\n');
  await master.waitFor('generationReady');
  // Another one, before the master hears of the end of the first.
  rmSync(at.file);
  const after = startDaemon(at);
  process.kill(before, 'SIGKILL');
  await stop(master);
  expect(isDaemon(after)).toBe(false);
  expect(at.notes().at(-1)).toBe(`${after} got SIGTERM`);
}, 30_000);

test('a stale file, one that names a process that is younger than it, and garbage are not believed', async () => {
  for (const content of ['99999999\n', `${process.pid}\n`, 'abc\n', '', '1\n', '-5\n', '12 13\n']) {
    const at = place();
    writeFileSync(at.file, content);
    if (content === `${process.pid}\n`) execFileSync('touch', ['-d', '2001-01-01', at.file]);
    const master = run(at);
    expect(await master.waitFor('workerAdopted')).toMatchObject({ how: 'started' });
    expect(isDaemon(at.pid())).toBe(true);
    await stop(master);
  }
}, 60_000);

test('a file that others can write is refused, and nothing is started or signalled', async () => {
  const at = place();
  const pid = startDaemon(at);
  chmodSync(at.file, 0o666);
  const master = run(at, [], 'startretries = 0\n');
  const { failure } = await master.waitFor('generationFailed');
  expect(failure.message).toContain('can be written by others');
  await stop(master);
  expect(isDaemon(pid)).toBe(true);
  expect(at.notes()).toEqual([`${pid} runs`]);
  chmodSync(at.file, 0o644);
  const link = place();
  symlinkSync(at.file, link.file);
  const linked = run(link, [], 'startretries = 0\n');
  expect((await linked.waitFor('generationFailed')).failure.message).toContain('symbolic link');
  await stop(linked);
  expect(isDaemon(pid)).toBe(true);
}, 30_000);

test.runIf(mayRun(isRoot))(
  'a file of another user may name only processes of that user',
  async () => {
    const at = place();
    chmodSync(at.folder, 0o755);
    const pid = startDaemon(at);
    execFileSync('chown', ['nobody', at.file]);
    const master = run(at, [], 'startretries = 0\n');
    const { failure } = await master.waitFor('generationFailed');
    expect(failure.message).toMatch(/can be written by user \d+, and process \d+ is of user 0/);
    await stop(master);
    expect(isDaemon(pid)).toBe(true);
  },
  30_000,
);

test('a command that fails is a failed start, and so is a daemon that writes no file: nothing of it is left', async () => {
  const failing = place();
  const master = run(failing, ['fails'], 'startretries = 0\n');
  const { failure } = await master.waitFor('generationFailed');
  expect(failure).toMatchObject({ reason: 'exited', outcome: { code: 3, signal: null } });
  const { lastReload } = await master.status();
  expect(lastReload?.failure?.stderrTail).toEqual(['no such config']);
  await stop(master);
  const silent = place();
  const other = run(silent, ['nofile'], 'startretries = 0\nready_timeout = "1s"\n');
  const late = await other.waitFor('generationFailed');
  expect(late.failure.reason).toBe('notReady');
  expect(late.failure.message).toContain('d.pid does not exist');
  await eventually('killed', () => silent.notes().every((note) => !isDaemon(Number.parseInt(note, 10))));
  await stop(other);
}, 30_000);

test('a file that comes late is waited for, and a program that stays in the foreground is its own daemon', async () => {
  const late = place();
  const master = run(late, ['late:1.5']);
  expect(await master.waitFor('workerAdopted')).toMatchObject({ how: 'started' });
  await stop(master);
  const at = place();
  const other = run(at, ['foreground'], 'autorestart = "unexpected"\n');
  const { pid } = await other.waitFor('workerAdopted');
  await other.waitFor('generationReady');
  process.kill(pid ?? 0, 'SIGTERM');
  // Of a child of the master it is known how it ended.
  expect((await other.waitFor('workerExited')).outcome).toEqual({ code: 0, signal: null });
  await stop(other);
}, 30_000);

test('the command that starts the daemon can open its stdout and stderr by name', async () => {
  const at = place();
  const script = 'echo out > /dev/stdout; echo err > /dev/stderr; exec "$@"';
  const master = run(at, [], 'stdout_logfile = "d.out"\nstderr_logfile = "d.err"\n', [
    'sh',
    '-c',
    script,
    'sh',
    ...['python3', daemonScript, at.file],
  ]);
  await master.waitFor('generationReady');
  await eventually('its lines are written', () =>
    ['out', 'err'].every((stream) =>
      readFileSync(join(at.folder, `d.${stream}`), 'utf8').includes(`${stream}\n`),
    ),
  );
  await stop(master);
}, 30_000);

test('a pid that another process has got is signalled by no stop, reload or kill, whether the daemon runs or is gone', async () => {
  const at = place();
  // The daemon stays the worker for as long as the file may name another one: its number is looked at again and again.
  const master = run(at, [], 'adopt_grace = "1h"\n');
  const ctl = async (...words: readonly string[]): Promise<number | null> =>
    (await gracefulctl(words, { XDG_RUNTIME_DIR: master.runtime })).code;
  const victim = spawn('sleep', ['1000'], { stdio: 'ignore' });
  onTestFinished(() => {
    victim.kill('SIGKILL');
  });
  /** As if a process of the master's user had got the number of the daemon: the file is as old as that. */
  const nameVictim = (): void => {
    const file = `${at.file}.victim`;
    writeFileSync(file, `${victim.pid}\n`);
    execFileSync('touch', ['-d', '2001-01-01', file]);
    // At once: the master looks at it again and again.
    renameSync(file, at.file);
  };
  const adopted = async (...before: readonly number[]): Promise<number> => {
    const { pid } = await master.waitFor('workerAdopted', (one) => !before.includes(one.pid ?? 0));
    await master.waitFor('workerReady', { pid: pid ?? 0 });
    return pid ?? 0;
  };
  const first = await adopted();
  nameVictim();
  expect(await ctl('reload', 'd', '--wait')).toBe(0);
  expect(at.notes()).toContain(`${first} got SIGTERM`);
  const second = await adopted(first);
  process.kill(second, 'SIGKILL');
  nameVictim();
  await eventually('gone', () => !isDaemon(second));
  // Nothing runs, and the master knows of no end: it still waits for the file to name another daemon.
  expect((await master.status()).workers).toMatchObject([{ pid: second, state: 'ready' }]);
  expect(await ctl('reload', 'd', '--wait')).toBe(0);
  const third = await adopted(first, second);
  process.kill(third, 'SIGKILL');
  nameVictim();
  await eventually('gone', () => !isDaemon(third));
  expect(await ctl('stop', 'd', '--wait')).toBe(0);
  nameVictim();
  expect(await ctl('start', 'd', '--wait')).toBe(0);
  const fourth = await adopted(first, second, third);
  nameVictim();
  // A second one while it stops kills.
  process.kill(fourth, 'SIGSTOP');
  const stopping = ctl('stop', 'd', '--wait');
  await master.waitFor('stopRequested', ({ urgent }) => !urgent && master.all('stopRequested').length >= 2);
  await ctl('stop', 'd', '--wait');
  await stopping;
  expect(isDaemon(fourth)).toBe(false);
  await stop(master);
  expect(master.all('workerAdopted').map(({ pid }) => pid)).toEqual([first, second, third, fourth]);
  expect([victim.exitCode, victim.signalCode]).toEqual([null, null]);
}, 60_000);

test('stopasgroup: a daemon that leads its process group and what is in the group get the signal', async () => {
  const at = place();
  // The leader waits for the other, which ends by the signal.
  const other = `(trap 'echo $$ got TERM >> ${at.file}.log; exit' TERM; while :; do sleep 1; done) & trap : TERM;`;
  const script = `${other} echo $$ > ${at.file}.new; mv ${at.file}.new ${at.file}; wait; wait`;
  const leader = spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' });
  onTestFinished(() => {
    if (leader.exitCode === null && leader.signalCode === null) leader.kill('SIGKILL');
  });
  await eventually('it runs', () => at.pid() === leader.pid);
  const master = run(at, [], 'stopasgroup = true\n');
  await master.waitFor('workerReady', { pid: leader.pid ?? 0 });
  await stop(master);
  expect(at.notes()).toEqual([`${leader.pid ?? 0} got TERM`]);
  expect(master.all('workerStarted')).toHaveLength(1);
});

test('the command is not run again before the grace has passed', async () => {
  const at = place();
  const master = run(at, [], 'adopt_grace = "2s"\n');
  await master.waitFor('generationReady');
  const first = at.pid();
  const killedAt = Date.now();
  process.kill(first, 'SIGKILL');
  const again = await master.waitFor('workerStarted', {}, 2);
  expect(Number(Reflect.get(again, 'time')) - killedAt).toBeGreaterThanOrEqual(1_990);
  expect(again.generation).toBe(1);
  await master.waitFor('workerAdopted', ({ pid }) => pid !== first);
  await stop(master);
}, 30_000);

test('a stop while no process is there does not wait, and reload is a restart', async () => {
  const at = place();
  const master = run(at, [], 'adopt_grace = "1h"\n');
  await master.waitFor('generationReady');
  const before = at.pid();
  master.signal('SIGHUP');
  const { pid } = await master.waitFor('workerAdopted', (event) => event.pid !== before);
  await master.waitFor('workerReady', { pid: pid ?? 0 });
  expect(at.notes()).toContain(`${before} got SIGTERM`);
  process.kill(pid ?? 0, 'SIGKILL');
  await eventually('gone', () => !isDaemon(pid ?? 0));
  await pause(300);
  master.signal('SIGTERM');
  expect((await master.exited).code).toBe(0);
}, 30_000);

test('it cannot be scaled, because the file names one process', async () => {
  const at = place();
  const master = run(at);
  await master.waitFor('workerReady');
  const pid = at.pid();
  for (const workers of ['3', '1']) {
    const { code, err } = await gracefulctl(['scale', 'd', workers], { XDG_RUNTIME_DIR: master.runtime });
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('cannot scale d: its pid file names one process'),
    ]);
  }
  master.signal('SIGTTIN');
  master.signal('SIGTTOU');
  expect((await gracefulctl(['status', 'd'], { XDG_RUNTIME_DIR: master.runtime })).out).toContain(
    '1 ready, 1 wanted',
  );
  expect(at.pid()).toBe(pid);
  expect(at.notes()).not.toContain(`${pid} got SIGTERM`);
  await stop(master);
}, 30_000);

test('nginx as a daemon with its own pid file: served, killed, started again, stopped', async () => {
  const at = place();
  const port = await freePort();
  writeFileSync(
    join(at.folder, 'nginx.conf'),
    `pid ${at.file};\nerror_log ${join(at.folder, 'error.log')};\nevents {}\nhttp { access_log off; client_body_temp_path ${at.folder}/a; proxy_temp_path ${at.folder}/b; fastcgi_temp_path ${at.folder}/c; uwsgi_temp_path ${at.folder}/d; scgi_temp_path ${at.folder}/e; server { listen 127.0.0.1:${port}; return 200 "nginx"; } }\n`,
  );
  const master = run(at, [], 'drain_signal = "QUIT"\n', [
    'nginx',
    '-c',
    join(at.folder, 'nginx.conf'),
    '-p',
    at.folder,
  ]);
  await master.waitFor('generationReady');
  expect((await get(port)).body).toBe('nginx');
  const first = at.pid();
  process.kill(first, 'SIGKILL');
  // Its workers would hold the port: they go with it.
  const { pid } = await master.waitFor('workerAdopted', (event) => event.pid !== first);
  await eventually('serves', async () => (await get(port)).body === 'nginx');
  master.signal('SIGTERM');
  expect((await master.exited).code).toBe(0);
  expect(isAlive(pid ?? 0)).toBe(false);
  rmSync(at.file, { force: true });
}, 30_000);
