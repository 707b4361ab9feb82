// A master that is killed, and a next one that must not take everything over, or not at once.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { begin, freePort, get, whoAnswers } from '../helpers/plain-client.ts';
import { type Ended, gracefulctl } from '../helpers/run-gracefulctl.ts';
import { of } from '../helpers/run-host.ts';
import { app, appPath, kill, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

const notes = (...ending: readonly string[]): string[] => [
  'python3',
  appPath('serves').replace('serves.cjs', 'notes-signals.py'),
  ...ending,
];

const python = ['python3', appPath('serves').replace(/\.cjs$/, '.py')];

const failing = [process.execPath, '-e', 'throw new Error("no database")'];

async function killNow(master: RunningMaster): Promise<void> {
  master.signal('SIGKILL');
  await master.exited;
}

/** A master with this config file. */
function runFile(folder: string, runtime: string, text: string): RunningMaster {
  writeFileSync(join(folder, 'graceful.toml'), `[master]\nname = "host"\n${text}`);
  return runMaster({
    hasOwnFlags: false,
    flags: ['-c', 'graceful.toml', '--log-format', 'json', '--log-level', 'debug'],
    command: [],
    cwd: folder,
    name: 'host',
    runtime,
  });
}

/** The table of a program `web` on this port of 127.0.0.1. `keys`: further lines. */
function webProgram(command: readonly string[], port: number, keys: string): string {
  return `[program.web]\ncommand = ${JSON.stringify(command)}\nlisten = ["127.0.0.1:${port}"]\n${keys}`;
}

function ctlOf(runtime: string): (...args: readonly string[]) => Promise<Ended> {
  return (...args) => gracefulctl(args, { XDG_RUNTIME_DIR: runtime });
}

/** The line of the status that names an old worker. */
function servedBy(pid: number): RegExp {
  return new RegExp(`^served by +worker ${pid}, left by a killed master, for \\d+s at most$`, 'm');
}

describe.runIf(process.platform === 'linux')('after the master was killed', () => {
  test('of several masters that start at once, one takes the sockets over', async () => {
    const killed = runMaster({ name: 'web', flags: ['--rescue', '60s'] });
    const port = await killed.serving();
    await killNow(killed);
    const all = ['a', 'b', 'c', 'd'].map((name) => runMaster({ name, flags: ['--port', String(port)] }));
    const first = await Promise.any(all.map(async (one) => one.waitFor('generationReady').then(() => one)));
    for (const other of all.filter((one) => one !== first)) expect((await other.exited).code).not.toBe(0);
    expect(all.flatMap((one) => one.all('listenerRescued'))).toHaveLength(1);
    await killed.workersGone(15_000);
    expect((await whoAnswers(port)).pid).toBe(await first.workerPid(1));
  }, 60_000);

  test('a master that waits for the address takes over as soon as the one that has it is killed', async () => {
    const short = ['--drain-timeout', '500ms'];
    const first = runMaster({ name: 'one', flags: ['--rescue', '60s', ...short] });
    const port = await first.serving();
    const load = startLoad({ port, mode: 'fresh', clients: 2 });
    const second = runMaster({ name: 'other', flags: ['--port', String(port), ...short] });
    await second.waitFor('addressBusy');
    await killNow(first);
    await second.waitFor('listenerRescued', { port });
    await second.serving();
    await first.workersGone(15_000);
    expect(failureCounts(await load.stop())).toEqual({});
    expect(second.all('orphansKilled')).toEqual([]);
  }, 60_000);

  test('a release for a narrower address takes no client from the old one before it serves', async () => {
    const runtime = temporaryFolder();
    const everywhere = (port: number): readonly string[] => [
      ...['--port', String(port), '--name', 'web', '--rescue', '60s'],
      ...['--log-format', 'json', '--log-level', 'debug'],
    ];
    const port = await freePort();
    const options = { runtime, name: 'web', hasOwnFlags: false, flags: everywhere(port) };
    const killed = runMaster(options);
    await killed.waitFor('generationReady');
    const old = await killed.workerPid(1);
    await killNow(killed);
    const script = join(temporaryFolder(), 'narrow.cjs');
    writeFileSync(
      script,
      `require('node:http').createServer((_, response) => response.writeHead(503).end()).listen(process.env.PORT, '127.0.0.1', () => console.error('listens'))`,
    );
    const next = runMaster({
      ...options,
      command: [process.execPath, script],
      flags: [...everywhere(port), '--ready', 'http:/healthz'],
    });
    await next.waitForLine('listens');
    for (let count = 0; count < 20; count += 1) expect((await whoAnswers(port)).pid).toBe(old);
    next.signal('SIGTERM');
    await next.exited;
    await eventually('the old worker has drained', () => !isAlive(old));
  });

  test('permissions of the socket file are those that the new master is to give it', async () => {
    const runtime = temporaryFolder();
    const path = join(runtime, 'app.sock');
    const start = (...more: readonly string[]): RunningMaster =>
      runMaster({
        hasOwnFlags: false,
        flags: ['--listen', `unix:${path}`, '--name', 'app', '--log-format', 'json', ...more],
        name: 'app',
        runtime,
        command: app('serves-at-path'),
        env: { APP_SOCKET: path },
      });
    const first = start('--socket-mode', '0666');
    await first.waitFor('generationReady');
    await killNow(first);
    const second = start('--socket-mode', '0600');
    await second.waitFor('listenerRescued');
    await second.waitFor('generationReady');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('a socket for IPv4 and IPv6 is not taken over if only IPv6 is wanted', async () => {
    const runtime = temporaryFolder();
    const command = [
      process.execPath,
      '-e',
      "require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT, '::')",
    ];
    const first = runMaster({ runtime, name: 'web', command, flags: ['--host', '::', '--rescue', '60s'] });
    const port = await first.serving();
    await killNow(first);
    const second = runMaster({
      runtime,
      name: 'web',
      command,
      flags: ['--host', '::', '--ipv6-only', '--port', String(port)],
    });
    expect((await second.waitFor('orphansDrained')).problem).toContain('another address');
    await second.serving();
    await expect(get(port)).rejects.toThrow('ECONNREFUSED');
  });

  test('a worker whose sockets two programs have taken over drains when both serve', async () => {
    const [one, other] = [await freePort(), await freePort()];
    const release = join(temporaryFolder(), 'starts');
    const program = (name: string, ports: readonly number[], more = ''): string =>
      `[program.${name}]\ncommand = ${JSON.stringify(app('listens-on-ports'))}\nenvironment = { PORTS = "${ports.join(',')}" }\nlisten = [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}]\n${more}`;
    const folder = temporaryFolder();
    const runtime = temporaryFolder();
    const first = runFile(folder, runtime, program('web', [one, other], 'rescue = "50s"\n'));
    await first.waitFor('generationReady');
    const pid = await first.workerPid(1);
    await killNow(first);
    const waits = `hooks = { pre_start = "until [ -e '${release}' ]; do sleep 0.1; done" }\n`;
    const second = runFile(folder, runtime, program('web', [one]) + program('api', [other], waits));
    await second.waitFor('generationReady', of('web'));
    await second.waitFor('listenerRescued', of('api'));
    expect(second.all('orphansDrained')).toEqual([]);
    expect((await whoAnswers(other)).pid).toBe(pid);
    writeFileSync(release, '');
    expect((await second.waitFor('orphansDrained')).pids).toEqual([pid]);
    await eventually('it has ended', () => !isAlive(pid));
    for (const port of [one, other]) expect((await get(port)).status).toBe(200);
  }, 60_000);

  test('an upgrade of the next master waits until it has nothing more to do with the old workers', async () => {
    const [folder, runtime] = [temporaryFolder(), temporaryFolder()];
    const port = await freePort();
    const command = app('serves');
    const program = (command: readonly string[]): string =>
      webProgram(command, port, 'rescue = "50s"\nstartretries = 20\n');
    const first = runFile(folder, runtime, program(command));
    await first.waitFor('generationReady');
    const old = await first.workerPid(1);
    const load = startLoad({ port, mode: 'fresh', clients: 2 });
    await load.moreAnswers(20);
    const { answer } = await begin(port, '/held');
    await killNow(first);
    const second = runFile(folder, runtime, program(failing));
    await second.waitFor('generationFailed');
    const ctl = ctlOf(runtime);
    expect((await ctl('status', 'web')).out).toMatch(servedBy(old));
    const upgraded = ctl('upgrade');
    const until = 'workers of web, left by a killed master, still';
    await second.waitFor('upgradeWaits', { until: `${until} serve` });
    writeFileSync(join(folder, 'graceful.toml'), `[master]\nname = "host"\n${program(command)}`);
    expect(await ctl('update')).toMatchObject({ code: 0 });
    await second.waitFor('upgradeWaits', { until: `${until} drain` });
    kill(old, 'SIGUSR2');
    expect(await answer).toMatchObject({ body: 'begun, ended' });
    expect(await upgraded).toMatchObject({ code: 0 });
    await first.workersGone(15_000);
    expect((await ctl('status', 'web')).out).not.toContain('served by');
    expect(failureCounts(await load.stop())).toEqual({});
  }, 60_000);

  test('the old workers of a release that does not start drain when their time is over, although its master has ended', async () => {
    const runtime = temporaryFolder();
    const first = runMaster({ runtime, name: 'web', command: python, flags: ['--rescue', '4s'] });
    const port = await first.serving();
    const worker = await first.workerPid(1);
    await killNow(first);
    const flags = ['--port', String(port)];
    const bad = runMaster({ runtime, name: 'web', flags, command: failing });
    await bad.waitFor('listenerRescued');
    expect((await bad.exited).code).toBe(1);
    expect((await get(port)).body).toBe(`python ${worker}`);
    // They would be killed 33 s later.
    await eventually('the old worker has drained', () => !isAlive(worker), 15_000);
  }, 60_000);

  test('the status names the old workers of a release that has failed for good, and a stop tells them to drain', async () => {
    const [folder, runtime] = [temporaryFolder(), temporaryFolder()];
    const port = await freePort();
    const program = (command: readonly string[]): string =>
      webProgram(command, port, 'rescue = "50s"\nstartretries = 0\n');
    const first = runFile(folder, runtime, program(python));
    await first.waitFor('generationReady');
    const worker = await first.workerPid(1);
    await killNow(first);
    const second = runFile(folder, runtime, program(failing));
    await second.waitFor('stopped');
    const ctl = ctlOf(runtime);
    expect((await ctl('status', 'web')).out).toMatch(servedBy(worker));
    expect((await get(port)).body).toBe(`python ${worker}`);
    expect(await ctl('stop', 'web')).toMatchObject({ code: 0 });
    expect((await second.waitFor('orphansDrained')).pids).toEqual([worker]);
    await eventually('the old worker has drained', () => !isAlive(worker));
    await second.finish();
  }, 60_000);

  test('a daemon that a worker has started, on an address of its own, is left alone', async () => {
    const port = await freePort();
    const file = join(temporaryFolder(), 'pid');
    const daemon = `import os, socket, time\none = socket.create_server(('127.0.0.1', ${port}))\nopen('${file}', 'w').write(str(os.getpid()))\ntime.sleep(60)`;
    const killed = runMaster({
      command: [
        'sh',
        '-c',
        `setsid python3 -c "${daemon}" & exec '${process.execPath}' '${appPath('serves')}'`,
      ],
      flags: ['--rescue', '1s'],
    });
    await killed.serving();
    await eventually('the daemon runs', () => readIfThere(file) !== '');
    const pid = Number(readIfThere(file));
    await killNow(killed);
    const other = runMaster({ name: 'other', flags: ['--port', String(port)] });
    expect((await other.exited).code).not.toBe(0);
    expect(other.all('listenerRescued')).toEqual([]);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  }, 60_000);

  test.each([
    ['0s', 'at once'],
    ['1s', 'when it has served for its time'],
  ])('a program that is not Node.js is told to drain (%s: %s)', async (rescue) => {
    const master = runMaster({ command: notes('TERM'), flags: ['--rescue', rescue], name: 'web' });
    await master.waitFor('generationReady');
    const pid = await master.workerPid(1);
    await killNow(master);
    // Its drain timeout is 30 s.
    await eventually('it has ended', () => !isAlive(pid), 8_000);
  });

  test('a program that drains already is not told again', async () => {
    const told = join(temporaryFolder(), 'told');
    const script = join(temporaryFolder(), 'drains.py');
    writeFileSync(
      script,
      `import os, signal, time\nsignal.signal(signal.SIGTERM, lambda *_: open(f'${told}-{os.getpid()}', 'a').write('TERM '))\nwhile True: time.sleep(0.1)`,
    );
    const master = runMaster({
      command: ['python3', script],
      flags: ['--rescue', '0s', '--drain-timeout', '2s'],
      name: 'web',
    });
    await master.waitFor('generationReady');
    const pid = await master.workerPid(1);
    master.signal('SIGHUP');
    await eventually('it is told', () => readIfThere(`${told}-${pid}`) === 'TERM ');
    await killNow(master);
    await eventually('it has ended', () => !isAlive(pid), 15_000);
    expect(readIfThere(`${told}-${pid}`)).toBe('TERM ');
    await master.workersGone(15_000);
  }, 60_000);

  test('a program without an address is told at once, because the next master starts another one', async () => {
    const master = runFile(
      temporaryFolder(),
      temporaryFolder(),
      `[program.queue]\ntype = "worker"\ncommand = ${JSON.stringify(notes('TERM'))}\n`,
    );
    await master.waitFor('generationReady');
    const pid = await master.workerPid(1);
    await killNow(master);
    await eventually('it has ended', () => !isAlive(pid), 8_000);
  });

  test('a Node.js behind a wrapper that passes signals on is not told twice', async () => {
    const [folder, runtime] = [temporaryFolder(), temporaryFolder()];
    const port = await freePort();
    const program = (command: readonly string[]): string =>
      webProgram(command, port, 'rescue = "2s"\nstartretries = 0\n');
    const first = runFile(folder, runtime, program(['timeout', '--foreground', '100', ...app('serves')]));
    await first.waitFor('generationReady');
    const { pid } = await whoAnswers(port);
    const { answer } = await begin(port, '/held');
    await killNow(first);
    const second = runFile(folder, runtime, program(failing));
    await second.waitFor('listenerRescued');
    await second.waitFor('stopped');
    // It drains now, and is left alone until its request is answered.
    await eventually('its time is over', async () => refuses(port), 10_000);
    await pause(1_500);
    kill(pid, 'SIGUSR2');
    expect(await answer).toMatchObject({ body: 'begun, ended' });
    expect(second.all('orphansDrained')).toEqual([]);
    await second.finish();
  }, 60_000);

  test('a server that the next master does not know is told when its time is over', async () => {
    const [folder, runtime] = [temporaryFolder(), temporaryFolder()];
    const program = async (name: string): Promise<string> =>
      `[program.${name}]\ncommand = ${JSON.stringify(python)}\nlisten = ["127.0.0.1:${await freePort()}"]\nrescue = "3s"\n`;
    const web = await program('web');
    const first = runFile(folder, runtime, web + (await program('api')));
    await first.waitFor('generationReady', of('web'));
    await first.waitFor('generationReady', of('api'));
    const pid = (await first.waitFor('workerReady', of('api'))).pid ?? 0;
    await killNow(first);
    const second = runFile(folder, runtime, web);
    await second.waitFor('generationReady');
    // It would be killed 33 s later.
    await eventually('it has drained', () => !isAlive(pid), 15_000);
    await second.finish();
  }, 60_000);

  test('a job is told, although the next master has taken over the socket of a server', async () => {
    const [folder, runtime] = [temporaryFolder(), temporaryFolder()];
    const port = await freePort();
    const told = join(folder, 'told');
    const script = join(folder, 'job.py');
    writeFileSync(
      script,
      `import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: open('${told}', 'a').write('TERM '))\nwhile True: time.sleep(0.1)`,
    );
    const web = `[program.web]\ncommand = ${JSON.stringify(python)}\nlisten = ["127.0.0.1:${port}"]\n`;
    const job = `[program.job]\ntype = "oneshot"\ncommand = ["python3", ${JSON.stringify(script)}]\ndrain_timeout = "3s"\n`;
    const first = runFile(folder, runtime, web + job);
    await first.waitFor('generationReady', of('web'));
    await first.waitFor('generationReady', of('job'));
    const pid = (await first.waitFor('workerReady', of('job'))).pid ?? 0;
    await killNow(first);
    const second = runFile(folder, runtime, web);
    await second.waitFor('orphansDrained');
    await eventually('the job is told', () => readIfThere(told) === 'TERM ', 10_000);
    await eventually('the job has ended', () => !isAlive(pid), 15_000);
    await second.finish();
  }, 60_000);
});

async function refuses(port: number): Promise<boolean> {
  return get(port).then(
    () => false,
    () => true,
  );
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
