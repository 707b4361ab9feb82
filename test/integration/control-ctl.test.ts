import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlServer } from '../../src/master/control/control-server.ts';
import type { ErrorAnswer } from '../../src/shared/control-api.ts';
import { askControl } from '../../src/shared/control-client.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  failed,
  FakeMaster,
  openFake,
  rawConnection,
  served,
  socketFolder,
  statusOf,
} from '../helpers/fake-master.ts';
import { built, type Ended, outcomeOf, startGracefulctl } from '../helpers/run-gracefulctl.ts';
import { isRoot, mayRun } from '../helpers/required-programs.ts';

let folder: ReturnType<typeof socketFolder>;
let master: FakeMaster;
const open: ControlServer[] = [];
const started: ChildProcess[] = [];

beforeEach(() => {
  folder = socketFolder();
  master = new FakeMaster();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  const left = started
    .splice(0)
    .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  for (const process of left) process.kill('SIGKILL');
  folder.remove();
  expect(left.length).toBe(0);
});

/** A master of one program, both called `name`. */
async function start(name = 'web', its: FakeMaster = master): Promise<ControlServer> {
  its.status = { ...its.status, program: name };
  const server = await openFake(folder.path, its, name);
  open.push(server);
  return server;
}

function ctl(...args: readonly string[]): ChildProcess {
  const child = startGracefulctl(args, { GRACEFUL_RUN_CONTROL_FOLDER: folder.path });
  started.push(child);
  return child;
}

function run(...args: readonly string[]): Promise<Ended> {
  return outcomeOf(ctl(...args));
}

describe('gracefulctl', () => {
  test('status finds the only master and exits 0', async () => {
    await start();
    const { code, out, err } = await run('status');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('4242');
  });

  test('status --json is what the master says', async () => {
    await start();
    const { code, out } = await run('status', '--json');
    expect([code, JSON.parse(out)]).toEqual([0, { ...master.status, memoryBytes: null, cpuPercent: null }]);
  });

  test('status with two masters lists both, a line each, and as JSON', async () => {
    const other = new FakeMaster();
    await start('api', other);
    await start('web');
    const { code, out, err } = await run('status');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^api +serving +1 +1\/1 /m);
    expect(out).toMatch(/^web +serving /m);
    const { out: lines } = await run('status', '--json');
    const unknown = { memoryBytes: null, cpuPercent: null };
    expect(
      lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { ...other.status, ...unknown },
      { ...master.status, ...unknown },
    ]);
  });

  test('list is a table, even of one program', async () => {
    await start();
    for (const word of ['list', 'ls', 'ps']) {
      const { code, out } = await run(word);
      expect([code, out.split('\n').length]).toEqual([0, 3]);
    }
  });

  test('a master that does not answer is listed with what is wrong with it, and status exits 1', async () => {
    await start('api');
    const stranger = createServer((socket) => socket.on('error', () => undefined).end('hello\r\n\r\n'));
    await once(stranger.listen(join(folder.path, 'odd.sock')), 'listening');
    const { code, out } = await run('status');
    const named = await run('status', 'api', 'odd');
    stranger.close();
    expect(code).toBe(1);
    expect(out).toMatch(/^api +serving /m);
    expect(out).toMatch(/^odd +no answer .*cannot reach the master odd/m);
    expect(named.code).toBe(1);
    expect(named.out).toMatch(/^program +api$/m);
    expect(named.err).toContain('cannot reach the master odd');
  });

  test('a master that never answers has its line in JSON too, beside the error, also if nothing else is meant', async () => {
    await start('api');
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    await once(silent.listen(join(folder.path, 'odd.sock')), 'listening');
    const [all, alone] = await Promise.all([run('status', '--json'), run('status', 'odd', '--json')]);
    silent.close();
    const unknown = {
      program: null,
      master: { name: 'odd' },
      state: 'UNKNOWN',
      error: {
        code: 'masterUnreachable',
        message: expect.stringContaining('cannot reach the master odd') as string,
        hint: expect.any(String) as string,
      },
    };
    const linesOf = ({ out }: Ended): unknown[] =>
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    expect([all.code, linesOf(all)]).toEqual([1, [expect.objectContaining({ program: 'api' }), unknown]]);
    expect([alone.code, linesOf(alone)]).toEqual([1, [unknown]]);
    for (const { err } of [all, alone]) expect(err).toContain('cannot reach the master odd');
  });

  test('a master that ends while it is asked does not count', async () => {
    await start('api');
    for (const word of ['list', 'reload']) {
      const ending = createHttpServer();
      ending.on('request', (_request: IncomingMessage, response: ServerResponse) => {
        ending.close();
        response.destroy();
      });
      await once(ending.listen(join(folder.path, 'old.sock')), 'listening');
      const { code, out, err } = await run(word);
      expect([word, code, err]).toEqual([word, 0, '']);
      expect(out).not.toContain('old');
      expect(ending.listening).toBe(false);
    }
    expect(master.calls).toContain('reload');
  });

  test('completion asks no master for the names of commands, and waits only briefly for one that does not answer', async () => {
    await start('web');
    let connections = 0;
    const connectedMs: number[] = [];
    const silent = createServer((socket) => {
      const since = performance.now();
      connections += 1;
      socket
        .on('error', () => undefined)
        .on('close', () => connectedMs.push(performance.now() - since))
        .resume();
    });
    await once(silent.listen(join(folder.path, 'silent.sock')), 'listening');
    expect((await run('__complete', 'rel')).out).toMatch(/^reload\t/m);
    expect(connections).toBe(0);
    expect((await run('__complete', 'reload', '')).out).toMatch(/^web\t/m);
    await eventually('all connections are closed', () => connectedMs.length === connections);
    silent.close();
    // It was looked for, and asked. Other commands wait 5 s.
    expect(connections).toBeGreaterThan(1);
    expect(Math.max(...connectedMs)).toBeLessThan(4_000);
  });

  test('with two programs, a command that acts wants a name, and takes it as a word or as an option', async () => {
    await start('api', new FakeMaster());
    await start('web');
    const unnamed = await run('reload');
    expect(unnamed.code).toBe(2);
    expect(unnamed.err).toContain('api, web');
    expect(unnamed.err).toContain('gracefulctl reload api');
    for (const words of [['web'], ['--name', 'web'], ['--wait', 'web'], ['web', '--name', 'web']]) {
      master.outcome.resolve(served);
      expect(await run('reload', ...words)).toMatchObject({ code: 0, err: '' });
    }
    expect((await run('reload', 'web', '--name', 'api')).code).toBe(2);
    expect((await run('status', 'shop')).code).toBe(3);
  });

  test('a name that is made of digits is a name', async () => {
    await start('10086');
    expect((await run('status', '10086')).code).toBe(0);
  });

  test('a mistyped name or command gets the nearest one as a hint', async () => {
    await start('web');
    expect((await run('reload', 'wbe')).err).toContain('did you mean gracefulctl reload web?');
    expect((await run('relaod')).err).toContain('did you mean gracefulctl reload?');
    expect((await run('frobnicate')).err).toContain('list, status, top, start, stop,');
  });

  test('without a master it exits 3; sockets that nobody listens on do not count', async () => {
    const { code, out, err } = await run('status');
    expect([code, out]).toEqual([3, '']);
    expect(err.split('\n').length).toBe(3);
    expect(err).toMatch(/^gracefulctl: cannot find a master/);
  });

  test.each(['reload', 'stop', 'scale 2'])(
    '%s --json without a master says so in JSON, and exits 3',
    async (words) => {
      const { code, out, err } = await run(...words.split(' '), '--json');
      expect([code, err]).toEqual([3, '']);
      expect(JSON.parse(out)).toMatchObject({
        command: words.split(' ')[0],
        ok: false,
        exitCode: 3,
        program: null,
        state: 'failed',
        result: null,
        error: { code: 'masterNotFound' },
      });
    },
  );

  test.runIf(mayRun(isRoot))(
    'the master of another user is not used, but its owner is named with the command that may use it',
    async () => {
      await start('web');
      chownSync(folder.path, 12_345, 12_345);
      for (const words of [['status'], ['status', 'web']]) {
        const { code, err } = await run(...words);
        expect(code).toBe(1);
        expect(err).toContain('belongs to user 12345');
        expect(err).toContain(
          `sudo -u '#12345' env GRACEFUL_RUN_CONTROL_FOLDER=${folder.path} gracefulctl status web`,
        );
      }
      expect((await run('status', 'shop')).code).toBe(3);
    },
  );

  test('a directory that this user may not enter, as after su, holds no master and is named in the hint', async () => {
    const closed = join(folder.path, 'closed');
    mkdirSync(closed, { mode: 0o000 });
    const inside = join(closed, 'graceful-run');
    if (isRoot) chmodSync(folder.path, 0o755);
    const child = spawn(process.execPath, [built, 'status'], {
      env: { ...process.env, GRACEFUL_RUN_CONTROL_FOLDER: inside, FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // root may enter every directory.
      ...(isRoot ? { uid: 65_534 } : {}),
    });
    started.push(child);
    const { code, err } = await outcomeOf(child);
    expect([code, err]).toEqual([3, expect.stringContaining(`has no access to ${inside}`)]);
  });

  test('status exits 4 when no worker is ready', async () => {
    await start();
    master.status = { ...statusOf(4242), workers: [] };
    expect((await run('status')).code).toBe(4);
  });

  test.each([
    [[]],
    [['frobnicate']],
    [['status', '--wait']],
    [['status', 'web', '--all']],
    [['status', '--name']],
    [['reload', '--wait=ready']],
    [['stop', '--wait=drained']],
    [['scale']],
    [['scale', 'many']],
    [['scale', 'web', '0']],
  ])('a command line that makes no sense exits 2: %j', async (args) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).toMatch(/^gracefulctl: cannot /);
  });

  test('scale without a number says in its own words what is missing', async () => {
    const { code, err } = await run('scale');
    expect([code, err]).toEqual([
      2,
      'gracefulctl: cannot scale: the number of workers is missing\n  hint: gracefulctl scale 3, or gracefulctl scale <program> 3\n',
    ]);
  });

  test('--wait with an unknown state names the three that there are', async () => {
    expect((await run('reload', '--wait=never')).err).toContain('must be serving, settled or drained, not');
  });

  test('--help has a usage line and the exit codes, and names the arguments of scale, --all and --json', async () => {
    const { out } = await run('--help');
    for (const part of [
      'Usage: gracefulctl <command>',
      'scale [names..]',
      '--all',
      '--json',
      'Exit codes: 0',
    ])
      expect(out).toContain(part);
  });

  test('--help and --version exit 0', async () => {
    const help = await run('--help');
    expect([help.code, help.err]).toEqual([0, '']);
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('reload says which generation it starts', async () => {
    await start();
    const { code, out } = await run('reload');
    expect(code).toBe(0);
    expect(out).toContain('generation 2');
  });

  test('reload --wait exits 0 when the generation serves', async () => {
    await start();
    master.outcome.resolve(served);
    expect((await run('reload', '--wait')).code).toBe(0);
    expect(master.waits).toEqual(['serving']);
  });

  test('reload --wait=drained waits for just that, and says so', async () => {
    await start();
    master.outcome.resolve(served);
    const { code, out } = await run('reload', '--wait=drained');
    expect(code).toBe(0);
    expect(out).toContain('no old worker is left');
    expect(master.waits).toEqual(['drained']);
  });

  test('scale asks for a number of workers, with the name before it or without', async () => {
    await start();
    expect(await run('scale', '3')).toMatchObject({ code: 0, out: 'workers wanted: 3 (before: 1)\n' });
    const { code, out } = await run('scale', 'web', '4', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { ok: true, result: { workers: 4, before: 1 } }]);
  });

  test('reload --json and stop --json print one line of one shape', async () => {
    await start();
    const accepted = await run('reload', '--json');
    expect(JSON.parse(accepted.out)).toEqual({
      command: 'reload',
      ok: true,
      master: 'web',
      program: 'web',
      exitCode: 0,
      state: 'accepted',
      result: { generation: 2 },
      error: null,
    });
    master.outcome.resolve(failed);
    const { code, out, err } = await run('reload', '--wait', '--json');
    expect([code, err]).toEqual([1, '']);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      exitCode: 1,
      state: 'failed',
      result: failed,
      error: { code: 'reloadFailed' },
    });
    const stopped = await run('stop', '--json');
    expect(JSON.parse(stopped.out)).toMatchObject({
      command: 'stop',
      ok: true,
      state: 'accepted',
      result: { pid: process.pid },
    });
  });

  test('reload --wait exits 1 with the reason, the exit code and the last words', async () => {
    await start();
    master.outcome.resolve(failed);
    const { code, out, err } = await run('reload', '--wait');
    expect([code, out]).toEqual([1, '']);
    for (const part of ['before it was ready', 'code 3', 'Error: boom', 'by hand'])
      expect(err).toContain(part);
  });

  test('reload --wait exits 1 when the master goes away', async () => {
    const server = await start();
    const running = run('reload', '--wait');
    await master.called('reload');
    await server.close();
    expect((await running).code).toBe(1);
  });

  test('stop --wait returns when the process of the master is gone', async () => {
    const victim = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    started.push(victim);
    await once(victim, 'spawn');
    master.status = statusOf(victim.pid ?? 0);
    const server = await start();
    const child = ctl('stop', '--wait');
    const running = outcomeOf(child);
    await master.called('stop');
    master.done.resolve(undefined);
    await server.close();
    expect(child.exitCode).toBe(null);
    victim.stdin.end();
    expect((await running).code).toBe(0);
    expect(victim.exitCode).toBe(0);
  });

  test('events prints until the master stops, --json as it came, and exits 0', async () => {
    const server = await start();
    const people = run('events');
    const machines = run('events', '--json');
    while (master.listeners.size < 2) await turn();
    const event = { event: 'fileChanged', path: '/srv/app.js', program: 'web', time: 1 } as const;
    master.emit(event);
    await server.close();
    expect(await machines).toEqual({ code: 0, out: `${JSON.stringify(event)}\n`, err: '' });
    const { code, out } = await people;
    expect(code).toBe(0);
    expect(out).toContain('/srv/app.js');
  });

  test('events says why the master refuses another follower', async () => {
    const server = await start();
    const request = 'GET /v1/events HTTP/1.1\r\nHost: graceful-run\r\n\r\n';
    const followers = await Promise.all(
      Array.from({ length: 128 }, () => rawConnection(server.path, request)),
    );
    while (master.listeners.size < followers.length) await turn();
    const refusal = await askControl({ path: server.path, method: 'GET', route: '/v1/events' });
    const { error } = JSON.parse('answer' in refusal ? refusal.answer.body : '') as ErrorAnswer;
    const { code, err } = await run('events');
    for (const follower of followers) follower.destroy();
    expect(code).toBe(1);
    expect(err).toContain(error.message);
  });

  test('events ends without a word when its reader has gone', async () => {
    await start();
    const child = ctl('events', '--json');
    await master.called('subscribe');
    const running = outcomeOf(child);
    child.stdout?.destroy();
    while (child.exitCode === null && child.signalCode === null) {
      master.emit({ event: 'listenersClosed', program: 'web', time: 1 });
      await turn();
    }
    const { code, err } = await running;
    expect([code, err]).toEqual([0, '']);
  });

  test('a command that acts goes on when its reader has gone, and exits with what has come of it', async () => {
    const masters = new Map(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, new FakeMaster()]));
    for (const [name, its] of masters) await start(name, its);
    // Not all are asked at once, and the last one is unknown.
    const child = ctl('reload', ...masters.keys(), 'nosuch', '--json');
    child.stdout?.destroy();
    const { code, err } = await outcomeOf(child);
    expect([code, err]).toEqual([3, '']);
    for (const [name, { calls }] of masters) expect([name, calls]).toEqual([name, ['reload']]);
  });

  test.runIf(mayRun(existsSync('/dev/full')))('stdout that cannot be written is an error', async () => {
    await start();
    for (const word of ['list', 'reload']) {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [built, word, '--json'], {
        env: { ...process.env, GRACEFUL_RUN_CONTROL_FOLDER: folder.path, FORCE_COLOR: '0' },
        stdio: ['ignore', full, 'pipe'],
      });
      closeSync(full);
      started.push(child);
      const { code, err } = await outcomeOf(child);
      expect([word, code, err]).toEqual([
        word,
        1,
        expect.stringMatching(/^gracefulctl: cannot write to stdout: .*ENOSPC.*\n$/),
      ]);
    }
    expect(master.calls).toContain('reload');
  });

  test('an answer that is not understood is refused, and so is a peer that is no master', async () => {
    master.status = { ...statusOf(1), workersWanted: 1.5 };
    await start();
    expect((await run('status')).code).toBe(1);
    const stranger = createServer((socket) =>
      socket.on('error', () => undefined).end('hello\r\n\r\n'),
    ).listen(join(folder.path, 'odd.sock'));
    await once(stranger, 'listening');
    const { code, err } = await run('status', '--name', 'odd');
    stranger.close();
    expect(code).toBe(1);
    expect(err).toMatch(/^gracefulctl: cannot reach the master odd/);
  });
});
