// SIGUSR2: the master replaces its own program, and Node.js, in its own process. Programs, listeners, output and requests do not notice.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { begin, get, whoAnswers } from '../helpers/plain-client.ts';
import { of, startHost } from '../helpers/run-host.ts';
import { app, appPath, kill, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';
import { whoAnswersDatagrams } from '../helpers/datagrams.ts';

/** Upgrades the master, for the `count`-th time. */
async function upgrade(master: RunningMaster, count = 1): Promise<void> {
  master.signal('SIGUSR2');
  await eventually(
    'the master is upgraded',
    () => {
      const [failed] = master.all('upgradeFailed');
      if (failed !== undefined) throw new Error(`${failed.problem}\n${master.tell()}`);
      return master.all('masterUpgraded').length === count;
    },
    20_000,
  ).catch((cause: unknown) => {
    throw new Error(`no upgrade ${count}\n${master.tell()}`, { cause });
  });
}

describe.runIf(process.platform === 'linux')('an upgrade', () => {
  test.each(['keepAlive', 'fresh'] as const)(
    'under load (%s) loses no request and closes no connection, and everything works after it',
    async (mode) => {
      const master = runMaster({ flags: ['--workers', '2', '--watch', import.meta.dirname] });
      const port = await master.serving();
      const { pid } = master;
      const workers = [await master.workerPid(1, 0), await master.workerPid(1, 1)];
      const load = startLoad({ port, mode, clients: 8 });
      await load.moreAnswers(200);
      for (let count = 1; count <= 3; count += 1) {
        await upgrade(master, count);
        await load.moreAnswers(200);
      }
      expect(workers.map(isAlive)).toEqual([true, true]);
      expect(await master.status()).toMatchObject({
        generation: 1,
        master: { pid, upgrades: 3 },
        workers: workers.map((worker) => ({ pid: worker, state: 'ready' })),
      });
      await master.reload(2);
      await load.moreAnswers(200);
      const tally = await load.stop();
      expect(failureCounts(tally)).toEqual({});
      expect(tally.closedIdle).toBe(0);
      await Promise.all(workers.map(async (worker) => master.waitFor('workerExited', { pid: worker })));
      for (const { outcome } of master.all('workerExited'))
        expect(outcome).toEqual({ code: 0, signal: null });
      // What a worker has served was counted by itself.
      expect(master.all('workerExited').reduce((sum, { served }) => sum + (served ?? 0), 0)).toBeGreaterThan(
        800,
      );
    },
    60_000,
  );

  test('the end of a worker is noticed, however close to the upgrade it is', async () => {
    const master = runMaster();
    const port = await master.serving();
    for (let count = 1; count <= 3; count += 1) {
      const { pid } = await whoAnswers(port);
      master.signal('SIGUSR2');
      if (count % 2 === 0) await master.waitFor('upgradeRequested', {}, count);
      kill(pid);
      await eventually('the worker is replaced', () =>
        master.all('workerFailed').some((failed) => failed.pid === pid),
      );
      await eventually('another worker answers', async () => (await whoAnswers(port)).pid !== pid, 15_000);
      await eventually('it is upgraded', () => master.all('masterUpgraded').length === count, 15_000);
    }
    expect(master.all('workerFailed').map(({ failure }) => failure.outcome)).toEqual(
      Array.from({ length: 3 }, () => ({ code: null, signal: 'SIGKILL' })),
    );
  }, 120_000);

  test('nor is the end of one lost whose helper holds its output, or that is reaped before it is taken over', async () => {
    const folder = temporaryFolder();
    const { master } = startHost(
      [
        '[program.web]',
        `command = ["sh", "-c", "setsid sleep 4 & exec \\"$0\\" \\"$1\\"", ${app('serves')
          .map((word) => JSON.stringify(word))
          .join(', ')}]`,
        'listen = ["127.0.0.1:0"]',
        'backoff_max = "1s"',
        'stdout_logfile = "out.log"',
        'stderr_logfile = "err.log"',
      ].join('\n'),
      folder,
    );
    await master.waitFor('generationReady');
    const port = await master.port();
    for (const [at, delayMs] of [0, 120, 240].entries()) {
      const { pid } = await whoAnswers(port);
      master.signal('SIGUSR2');
      await master.waitFor('upgradeRequested', {}, at + 1);
      await pause(delayMs);
      kill(pid);
      await eventually('its end is reported', () =>
        master.all('workerFailed').some((failed) => failed.pid === pid),
      );
      await eventually('another one answers', async () => (await whoAnswers(port)).pid !== pid, 15_000);
      await eventually('it is upgraded', () => master.all('masterUpgraded').length === at + 1, 15_000);
    }
  }, 120_000);

  test('a helper that has outlived its worker is read on, and long drains are reported', async () => {
    const folder = temporaryFolder();
    const helper = 'setsid sh -c "while ! test -e stop; do echo alive >&2; sleep 0.1; done" &';
    const master = runMaster({
      cwd: folder,
      flags: ['--drain-timeout', '30s'],
      command: ['sh', '-c', `${helper} exec "$0" "$1"`, ...app('serves')],
    });
    const port = await master.serving();
    const first = await master.workerPid(1);
    kill(first);
    await master.waitFor('workerFailed', { pid: first });
    await eventually('another worker answers', async () => (await whoAnswers(port)).pid !== first);
    const { answer } = await begin(port, '/held');
    const { pid } = await whoAnswers(port);
    await master.reload(2);
    await upgrade(master);
    // The helpers of two workers, of which one has ended.
    const before = master.lines.filter((line) => line.includes('alive')).length;
    await eventually(
      'the helpers are heard',
      () => master.lines.filter((line) => line.includes('alive')).length > before + 30,
    );
    await master.waitFor('stillDraining');
    kill(pid, 'SIGUSR2');
    expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
    writeFileSync(join(folder, 'stop'), '');
  }, 60_000);

  test('what a file or certificate has lost since is reported, and ends nothing', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'logs'));
    const { master } = startHost(
      [
        '[program.web]',
        `command = ${JSON.stringify(app('serves'))}`,
        'listen = ["127.0.0.1:0"]',
        'stdout_logfile = "logs/out.log"',
      ].join('\n'),
      folder,
    );
    await master.waitFor('generationReady');
    const port = await master.port();
    const { pid } = await whoAnswers(port);
    rmSync(join(folder, 'logs'), { recursive: true });
    await upgrade(master);
    expect(await master.waitFor('outputLost')).toMatchObject({ reason: 'cannotWrite' });
    expect(await whoAnswers(port)).toMatchObject({ pid });
    mkdirSync(join(folder, 'logs'));
    master.signal('SIGHUP');
    await master.waitFor('generationReady', { generation: 2 });
    expect(existsSync(join(folder, 'logs', 'out.log'))).toBe(true);
  }, 30_000);

  test('a worker that drains across it ends its requests', async () => {
    const master = runMaster();
    const port = await master.serving();
    const [first, second] = [await begin(port, '/held'), await begin(port, '/held')];
    const old = await master.workerPid(1);
    await master.reload(2);
    await upgrade(master);
    kill(old, 'SIGUSR2');
    for (const { answer } of [first, second])
      expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
    expect(await master.waitFor('workerExited', { pid: old })).toMatchObject({ cut: 0, served: 2 });
  }, 30_000);

  test('a worker that drains across it is ended at its deadline', async () => {
    const master = runMaster({ flags: ['--drain-timeout', '2s'] });
    const { answer } = await begin(await master.serving(), '/held');
    answer.catch(() => undefined);
    const old = await master.workerPid(1);
    await master.reload(2);
    await upgrade(master);
    expect(await master.waitFor('workerExited', { pid: old })).toMatchObject({ cut: 1 });
  }, 30_000);

  test('it waits for a reload that is under way, and says so', async () => {
    const master = runMaster({ flags: ['--probation', '8s'] });
    await master.serving();
    await master.reload(2);
    await upgrade(master);
    // The drain that comes after the probation may be another reason.
    expect(master.all('upgradeWaits')[0]?.until).toContain('on probation');
    const names = master.events.map(({ event }) => event);
    expect(names.indexOf('masterUpgraded')).toBeGreaterThan(names.indexOf('generationSettled'));
  }, 30_000);

  test('everything that a program can be is taken over', async () => {
    const folder = temporaryFolder();
    const python = ['python3', new URL('../fixtures/apps/serves.py', import.meta.url).pathname];
    const notifies = ['python3', new URL('../fixtures/apps/notifies.py', import.meta.url).pathname];
    const { master, ctl, log } = startHost(
      [
        '[program.http]',
        `command = ${JSON.stringify(app('serves'))}`,
        'listen = ["127.0.0.1:0"]',
        'workers = 3',
        'reuse_port = true',
        '[program.udp]',
        `command = ${JSON.stringify(app('serves-udp'))}`,
        'listen = ["udp:127.0.0.1:0"]',
        '[program.unix]',
        `command = ${JSON.stringify(app('serves-at-path'))}`,
        `listen = ["unix:${folder}/app.sock"]`,
        `environment = { APP_SOCKET = "${folder}/app.sock" }`,
        '[program.python]',
        `command = ${JSON.stringify(python)}`,
        'listen = ["127.0.0.1:0"]',
        '[program.notifies]',
        `command = ${JSON.stringify(notifies)}`,
        'listen = ["127.0.0.1:0"]',
        '[program.shell]',
        `command = ["sh", "-c", "while :; do sleep 0.1; done"]`,
        'type = "worker"',
        '[program.once]',
        `command = ["sh", "-c", "while ! test -e ${folder}/go; do sleep 0.05; done; echo done >> log"]`,
        'type = "oneshot"',
        '[program.cron]',
        `command = ["sh", "-c", "while ! test -e ${folder}/go; do sleep 0.05; done; echo ran >> log"]`,
        'type = "oneshot"',
        'schedule = "0 0 1 1 *"',
        '[program.daemon]',
        `command = ${JSON.stringify(['python3', appPath('serves').replace('serves.cjs', 'daemon.py'), join(folder, 'd.pid')])}`,
        'type = "worker"',
        `adopt_pid_file = "${folder}/d.pid"`,
        '[program.stopped]',
        `command = ["sleep", "1000"]`,
        'type = "worker"',
      ].join('\n'),
      folder,
    );
    const names = ['http', 'udp', 'unix', 'python', 'notifies', 'shell', 'once', 'daemon', 'stopped'];
    await Promise.all(names.map(async (name) => master.waitFor('generationReady', of(name))));
    expect(await ctl('stop', 'stopped', '--wait')).toMatchObject({ code: 0 });
    expect(await ctl('start', 'cron')).toMatchObject({ code: 0 });
    await master.waitFor('runStarted', of('cron'));
    const programsOf = async (): Promise<readonly Record<string, unknown>[]> =>
      (await ctl('status', '--json')).out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const essence = (one: Record<string, unknown>): unknown => ({
      program: one['program'],
      state: one['state'],
      phase: one['phase'],
      isWanted: one['isWanted'],
      generation: one['generation'],
      listeners: one['listeners'],
      schedule: one['schedule'],
      workers: (one['workers'] as Record<string, unknown>[]).map(
        ({ pid, servingPid, slot, state, isAccepting, capabilities, queue }) => ({
          pid,
          servingPid,
          slot,
          state,
          isAccepting,
          capabilities,
          queue,
        }),
      ),
    });
    const before = (await programsOf()).map(essence);
    await upgrade(master);
    await upgrade(master, 2);
    expect((await programsOf()).map(essence)).toEqual(before);
    expect(master.all('internalError')).toEqual([]);

    const portOf = (name: string): number => master.all('listenerBound', of(name)).at(-1)?.port ?? 0;
    for (const name of ['http', 'python', 'notifies'])
      expect(await get(portOf(name))).toMatchObject({ status: 200 });
    expect(await whoAnswersDatagrams(portOf('udp'))).toMatchObject({ generation: 1 });
    writeFileSync(join(folder, 'go'), '');
    await master.waitFor('runEnded', of('cron'));
    await master.waitFor('stopped', of('once'));
    expect([...log()].sort()).toEqual(['done', 'ran']);
    const reloaded = ['http', 'udp', 'unix', 'python', 'notifies', 'shell'];
    expect(await ctl('reload', ...reloaded, '--wait')).toMatchObject({ code: 0, err: '' });
    expect(await get(portOf('http'))).toMatchObject({ status: 200 });
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(`${folder}/app.sock`, () => socket.write('GET / HTTP/1.0\r\n\r\n'));
      let text = '';
      socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
      socket.on('error', reject).on('close', () => {
        resolve(text);
      });
    });
    expect(answer).toContain('200 OK');
    // The daemon is the worker as before: when it dies, it is started again.
    const daemon = Number(readFileSync(join(folder, 'd.pid'), 'utf8'));
    kill(daemon);
    await master.waitFor('workerFailed', { pid: daemon });
    await eventually('the daemon is started again', () =>
      master.all('workerAdopted', of('daemon')).some(({ pid }) => pid !== daemon),
    );
    expect(await ctl('start', 'stopped', '--wait')).toMatchObject({ code: 0 });
  }, 60_000);

  test('no line of output is lost, torn or doubled, whether a file or the reader of the master gets it', async () => {
    const folder = temporaryFolder();
    const writes = app('writes-lines');
    const { master } = startHost(
      [
        '[program.files]',
        `command = ${JSON.stringify(writes)}`,
        'listen = ["127.0.0.1:0"]',
        'stdout_logfile = "out.log"',
        'stdout_logfile_maxbytes = "1MB"',
        'stdout_logfile_backups = 50',
        '[program.forwarded]',
        `command = ${JSON.stringify(writes)}`,
        'listen = ["127.0.0.1:0"]',
        'stdout_logfile = "forward"',
        '[program.partly]',
        'command = ["sh", "-c", "printf begun; while ! test -e go; do sleep 0.05; done; echo \' and ended\'; exec sleep 1000"]',
        'type = "worker"',
        'stdout_logfile = "partly.log"',
      ].join('\n'),
      folder,
    );
    const names = ['files', 'forwarded', 'partly'];
    await Promise.all(names.map(async (name) => master.waitFor('generationReady', of(name))));
    const portOf = (name: string): number => master.all('listenerBound', of(name))[0]?.port ?? 0;
    const lines = 60_000;
    // Less than the 1 MiB that a reader may leave unread: beyond it, forwarded lines are dropped and counted.
    const atOnce = 8_000;
    const linesTo = (count: number): readonly string[] =>
      Array.from({ length: count }, (_, at) => `1.0.${at + 1} ${'x'.repeat((at + 1) % 150)}`);
    const forwarded = (): readonly string[] => master.lines.filter((line) => /^1\.0\.\d+ x*$/.test(line));
    const toFiles = get(portOf('files'), `/write?lines=${lines}&to=stdout`);
    for (let count = 1; count <= 3; count += 1) {
      const passedOn = get(portOf('forwarded'), `/write?lines=${atOnce}&to=stdout`);
      await upgrade(master, count);
      if (count === 2) writeFileSync(join(folder, 'go'), '');
      await passedOn;
      await eventually('all lines are forwarded', () => forwarded().length >= count * atOnce, 20_000);
      expect(forwarded()).toEqual(linesTo(count * atOnce));
    }
    await toFiles;
    const expected = linesTo(lines);
    const inFiles = (): readonly string[] =>
      execFileSync('sh', ['-c', 'cat $(ls -v out.log.* 2>/dev/null | tac) out.log'], {
        cwd: folder,
        maxBuffer: 1e8,
      })
        .toString()
        .split('\n')
        .slice(0, -1);
    await eventually('all lines are in the files', () => inFiles().length >= lines, 20_000);
    expect(inFiles()).toEqual(expected);
    await eventually('the line has ended', () =>
      readFileSync(join(folder, 'partly.log'), 'utf8').endsWith('ended\n'),
    );
    expect(readFileSync(join(folder, 'partly.log'), 'utf8')).toBe('begun and ended\n');
    expect(master.all('outputLost')).toEqual([]);
  }, 90_000);

  test('to a version that cannot take over, nothing happens, and the reason is in the log', async () => {
    const folder = temporaryFolder();
    const root = new URL('../..', import.meta.url).pathname;
    mkdirSync(join(folder, 'bin'));
    for (const name of ['dist', 'package.json', 'node_modules'])
      symlinkSync(join(root, name), join(folder, name));
    const script = join(folder, 'bin', 'graceful-run.cjs');
    copyFileSync(join(root, 'bin', 'graceful-run.cjs'), script);
    const master = runMaster({ executable: script });
    const port = await master.serving();
    const { pid } = await whoAnswers(port);
    writeFileSync(script, "throw new Error('half installed');\n");
    master.signal('SIGUSR2');
    const { problem } = await master.waitFor('upgradeFailed');
    expect(problem).toContain('half installed');
    expect(await whoAnswers(port)).toMatchObject({ pid, generation: 1 });
    copyFileSync(join(root, 'bin', 'graceful-run.cjs'), script);
    master.signal('SIGUSR2');
    await master.waitFor('masterUpgraded');
    expect(await whoAnswers(port)).toMatchObject({ pid, generation: 1 });
  }, 30_000);
});
