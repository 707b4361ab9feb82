// A master that is killed under load: its workers go on serving, and the next master takes the listeners over from them.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { countOpen } from '../helpers/open-descriptors.ts';
import { begin, freePort, get, whoAnswers } from '../helpers/plain-client.ts';
import { of, startHost } from '../helpers/run-host.ts';
import { app, appPath, kill, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

const python = ['python3', appPath('serves').replace(/\.cjs$/, '.py')];

function flagsOn(port: number, ...more: readonly string[]): readonly string[] {
  return ['--port', String(port), '--rescue', '60s', ...more];
}

/** How many processes this one has opened with pidfd_open(2). */
function pidfdsOf(pid: number): number {
  return countOpen(pid, '[pidfd]');
}

async function killNow(master: RunningMaster): Promise<void> {
  master.signal('SIGKILL');
  await master.exited;
}

describe.runIf(process.platform === 'linux')('after the master was killed', () => {
  test.each([
    ['keepAlive', 'Node.js', app('serves'), []],
    ['fresh', 'Node.js', app('serves'), ['--workers', '2']],
    ['fresh', 'Python', python, []],
  ] as const)(
    'under load (%s, %s) the next one takes over, and no request fails',
    async (mode, _language, command, more) => {
      const runtime = temporaryFolder();
      const name = 'web';
      const first = runMaster({ runtime, name, command, flags: ['--rescue', '60s', ...more] });
      const port = await first.serving();
      const load = startLoad({ port, mode, clients: 8 });
      await load.moreAnswers(200);
      let last = first;
      for (let count = 1; count <= 3; count += 1) {
        await killNow(last);
        await load.moreAnswers(100);
        const next = runMaster({ runtime, name, command, flags: flagsOn(port, ...more) });
        const old = last.all('workerStarted').map(({ pid }) => pid);
        expect(await next.waitFor('listenerRescued')).toMatchObject({
          listener: 'default',
          port,
          pids: expect.arrayContaining(old) as unknown,
        });
        await next.serving();
        expect((await next.waitFor('orphansDrained')).problem).toBe(null);
        await last.workersGone(15_000);
        await load.moreAnswers(100);
        last = next;
      }
      expect(failureCounts(await load.stop())).toEqual({});
      expect(last.all('orphansKilled')).toEqual([]);
      // The socket is its own: it reloads, and closes it at the end.
      await last.reload(2);
      expect((await get(port)).status).toBe(200);
      await last.finish();
      await expect(get(port)).rejects.toThrow('ECONNREFUSED');
    },
    60_000,
  );

  test('the next one closes every descriptor through which it looked for the listener', async () => {
    const runtime = temporaryFolder();
    const [name, command] = ['web', app('serves')];
    const first = runMaster({ runtime, name, command, flags: ['--rescue', '60s'] });
    const port = await first.serving();
    const usual = pidfdsOf(first.pid);
    await killNow(first);
    const second = runMaster({ runtime, name, command, flags: flagsOn(port) });
    await second.waitFor('listenerRescued');
    await second.serving();
    await second.waitFor('orphansDrained');
    await eventually(
      'as few processes are open as in the first master',
      () => pidfdsOf(second.pid) === usual,
    );
    await second.finish();
  });

  test('of a UNIX socket, too, and its file stays', async () => {
    const runtime = temporaryFolder();
    const path = join(runtime, 'app.sock');
    const words = [
      '--listen',
      `unix:${path}`,
      '--name',
      'app',
      '--log-format',
      'json',
      '--log-level',
      'debug',
    ];
    const start = (): RunningMaster =>
      runMaster({
        hasOwnFlags: false,
        flags: words,
        name: 'app',
        runtime,
        command: app('serves-at-path'),
        env: { APP_SOCKET: path },
      });
    const first = start();
    await first.waitFor('generationReady');
    const load = startLoad({ port: 0, socketPath: path, mode: 'fresh', clients: 4 });
    await load.moreAnswers(50);
    await killNow(first);
    await load.moreAnswers(50);
    const second = start();
    await second.waitFor('listenerRescued');
    await second.waitFor('generationReady');
    await first.workersGone(15_000);
    await load.moreAnswers(50);
    expect(failureCounts(await load.stop())).toEqual({});
    await second.finish();
    expect(existsSync(path)).toBe(false);
  });

  test('workers go on serving for the time that they have, and then finish what is in flight and go', async () => {
    const master = runMaster({ flags: ['--rescue', '3s'] });
    const port = await master.serving();
    const worker = await master.workerPid(1);
    const { answer } = await begin(port, '/held');
    await killNow(master);
    expect((await whoAnswers(port)).pid).toBe(worker);
    await eventually(
      'it accepts no more',
      () =>
        get(port).then(
          () => false,
          () => true,
        ),
      10_000,
    );
    kill(worker, 'SIGUSR2');
    expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
    await master.workersGone();
  });

  test('a release that does not start leaves the old workers alone, and the next one takes over', async () => {
    const runtime = temporaryFolder();
    const first = runMaster({ runtime, name: 'web', flags: ['--rescue', '60s'] });
    const port = await first.serving();
    const worker = await first.workerPid(1);
    const load = startLoad({ port, mode: 'fresh', clients: 2 });
    await killNow(first);
    const bad = runMaster({
      runtime,
      name: 'web',
      flags: flagsOn(port),
      command: [process.execPath, '-e', 'throw new Error("no database")'],
    });
    await bad.waitFor('listenerRescued');
    expect((await bad.exited).code).toBe(1);
    expect(bad.all('orphansDrained')).toEqual([]);
    expect(isAlive(worker)).toBe(true);
    await load.moreAnswers(20);
    const good = runMaster({ runtime, name: 'web', flags: flagsOn(port) });
    await good.serving();
    await first.workersGone(15_000);
    expect(failureCounts(await load.stop())).toEqual({});
  }, 60_000);

  test.each([
    ['npm', ['npm', 'start']],
    ['a shell that has more to do', ['sh', '-c', 'node app.js; exit 0']],
  ])('a server behind %s drains, too', async (_what, command) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'package.json'), '{ "scripts": { "start": "node app.js" } }');
    writeFileSync(
      join(cwd, 'app.js'),
      `require(${JSON.stringify(appPath('serves'))}).server.listen(process.env.PORT)`,
    );
    const options = { runtime: temporaryFolder(), name: 'web', cwd, command };
    const first = runMaster({ ...options, flags: ['--rescue', '60s'] });
    const port = await first.serving();
    const { pid } = await whoAnswers(port);
    await killNow(first);
    const second = runMaster({ ...options, flags: flagsOn(port) });
    await second.serving();
    await eventually('the old server has ended', () => !isAlive(pid));
    await first.workersGone();
    expect((await whoAnswers(port)).pid).not.toBe(pid);
  });

  test('a program that writes to a log goes on serving, although nobody takes what it writes', async () => {
    const runtime = temporaryFolder();
    const options = { runtime, name: 'web', command: python, env: { LOGS: '1' } };
    const first = runMaster({ ...options, flags: ['--rescue', '60s'] });
    const port = await first.serving();
    // It writes before it answers, and fails if it cannot.
    const load = startLoad({ port, mode: 'fresh', clients: 4 });
    await load.moreAnswers(50);
    await killNow(first);
    // More than a pipe holds: 100 bytes each.
    await load.moreAnswers(1_000);
    const second = runMaster({ ...options, flags: flagsOn(port) });
    await second.serving();
    await first.workersGone(15_000);
    expect(failureCounts(await load.stop())).toEqual({});
  }, 60_000);

  test('a worker that was not admitted goes at once, and the one that serves stays', async () => {
    const release = join(temporaryFolder(), 'release.cjs');
    writeFileSync(release, `require(${JSON.stringify(appPath('serves'))}).server.listen(process.env.PORT)`);
    const master = runMaster({ command: [process.execPath, release], flags: ['--rescue', '60s'] });
    const port = await master.serving();
    const serving = await master.workerPid(1);
    writeFileSync(release, 'setInterval(() => undefined, 1000)');
    master.signal('SIGHUP');
    const candidate = await master.workerPid(2);
    await killNow(master);
    await eventually('the candidate has ended', () => !isAlive(candidate));
    expect((await whoAnswers(port)).pid).toBe(serving);
    kill(serving, 'SIGQUIT');
    await master.workersGone(15_000);
  });

  test('the old workers of a probation go at once, and the new ones stay', async () => {
    const master = runMaster({ flags: ['--rescue', '60s', '--probation', '60s'] });
    const port = await master.serving();
    const old = await master.workerPid(1);
    master.signal('SIGHUP');
    await master.waitFor('generationReady', { generation: 2 });
    const serving = await master.workerPid(2);
    // Until then the pause of the old one is for a moment only, and if its master is killed, both of them serve.
    await master.waitFor('workerAcceptsNoMore', { pid: old });
    expect((await whoAnswers(port)).pid).toBe(serving);
    await killNow(master);
    await eventually('the old one has ended', () => !isAlive(old));
    expect((await whoAnswers(port)).pid).toBe(serving);
    kill(serving, 'SIGQUIT');
    await master.workersGone(15_000);
  });

  test('sockets that cannot be taken over become free at once: the workers are told to drain', async () => {
    const runtime = temporaryFolder();
    const flags = ['--reuse-port', '--workers', '2'];
    const first = runMaster({ runtime, name: 'web', flags: ['--rescue', '60s', ...flags] });
    const port = await first.serving();
    await killNow(first);
    const second = runMaster({ runtime, name: 'web', flags: flagsOn(port, ...flags) });
    const told = await second.waitFor('orphansDrained');
    expect(told.problem).not.toBe(null);
    expect(await second.serving()).toBe(port);
    await first.workersGone(15_000);
    expect(second.all('listenerRescued')).toEqual([]);
  }, 60_000);

  test('an address that another program has as well is none of a dead master', async () => {
    const first = runMaster({ flags: ['--rescue', '3s'], command: app('serves') });
    const port = await first.serving();
    const worker = await first.workerPid(1);
    const other = runMaster({ flags: ['--port', String(port)] });
    // The first master lives.
    await other.waitFor('addressBusy');
    other.signal('SIGTERM');
    await other.exited;
    expect(other.all('listenerRescued')).toEqual([]);
    expect((await whoAnswers(port)).pid).toBe(worker);
  });

  test('a worker that hangs is killed by the next master when its time is over', async () => {
    const first = runMaster({
      command: app('blocks'),
      flags: ['--rescue', '10s', '--drain-timeout', '500ms'],
    });
    const port = await first.serving();
    const worker = await first.workerPid(1);
    await get(port, '/block');
    await killNow(first);
    const second = runMaster({ command: app('blocks'), flags: flagsOn(port, '--drain-timeout', '500ms') });
    expect(await second.waitFor('orphansKilled')).toMatchObject({ port, pids: [worker] });
    await eventually('it has ended', () => !isAlive(worker));
    expect((await get(port, '/')).status).toBe(200);
  });

  test('programs that an operator has stopped stay stopped, and the others are rescued', async () => {
    const programs = ['web', 'api'].map(
      (name) =>
        `[program.${name}]\ncommand = ${JSON.stringify(app('serves'))}\nlisten = ["127.0.0.1:${name === 'web' ? '{WEB}' : '{API}'}"]\n`,
    );
    const first = startHost(await withPorts(programs.join('')));
    await first.master.waitFor('generationReady', of('web'));
    await first.master.waitFor('generationReady', of('api'));
    expect(await first.ctl('stop', 'api', '--wait')).toMatchObject({ code: 0 });
    const { port } = await first.master.waitFor('listenerBound', of('web'));
    const load = startLoad({ port: port ?? 0, mode: 'fresh', clients: 2 });
    await load.moreAnswers(20);
    await killNow(first.master);
    expect(readdirSync(join(first.master.runtime, 'graceful-run'))).toContain('host.wanted');
    const none = await first.ctl('list');
    expect(none).toMatchObject({ code: 3 });
    expect(none.err).toContain('host was killed\n  hint: start it again at once');
    const second = runMaster({
      hasOwnFlags: false,
      flags: ['-c', 'graceful.toml', '--log-format', 'json', '--log-level', 'debug'],
      command: [],
      cwd: first.folder,
      name: 'host',
      runtime: first.master.runtime,
    });
    await second.waitFor('listenerRescued', of('web'));
    await second.waitFor('generationReady', of('web'));
    await first.master.workersGone(15_000);
    expect(failureCounts(await load.stop())).toEqual({});
    expect(second.all('generationReady', of('api'))).toEqual([]);
    const { out } = await first.ctl('list', '--json');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { state: string }).state),
    ).toEqual(['RUNNING', 'STOPPED']);
  }, 60_000);
});

/** With free ports in place of {WEB} and {API}. */
async function withPorts(text: string): Promise<string> {
  return text.replace('{WEB}', String(await freePort())).replace('{API}', String(await freePort()));
}
