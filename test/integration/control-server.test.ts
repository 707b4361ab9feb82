import { createServer } from 'node:net';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlServer } from '../../src/master/control/control-server.ts';
import { openControlServer } from '../../src/master/control/control-server.ts';
import { askControl, type ControlAnswer, followControl } from '../../src/shared/control-client.ts';
import { GracefulRunError } from '../../src/shared/errors.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  failed,
  FakeMaster,
  openFake,
  rawConnection,
  served,
  settleable,
  socketFolder,
} from '../helpers/fake-master.ts';
import { isRoot, mayRun } from '../helpers/required-programs.ts';

let folder: ReturnType<typeof socketFolder>;
let master: FakeMaster;
const open: ControlServer[] = [];
const onChange = (change: unknown): void => {
  master.changes.push(change);
};

beforeEach(() => {
  folder = socketFolder();
  master = new FakeMaster();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  expect(master.listeners.size).toBe(0);
  const left = readdirSync(folder.path);
  folder.remove();
  expect(left.filter((file) => file.startsWith('.'))).toEqual([]);
});

async function start(name = 'web'): Promise<ControlServer> {
  const server = await openFake(folder.path, master, name);
  open.push(server);
  return server;
}

async function ask(
  server: ControlServer,
  method: 'GET' | 'POST',
  route: string,
  body?: unknown,
): Promise<ControlAnswer> {
  const exchange = await askControl({ path: server.path, method, route, body, timeoutMs: 5_000 });
  if ('noAnswer' in exchange) throw new Error(exchange.noAnswer, { cause: exchange.cause });
  return exchange.answer;
}

/** Everything that the server says on a connection until it closes it. */
async function everything(server: ControlServer, request: string): Promise<string> {
  const socket = await rawConnection(server.path, request);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'close');
  return text;
}

/** A socket whose listener is gone, as kill -9 leaves it. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.bound`);
  await once(server, 'listening');
  renameSync(`${path}.bound`, path);
  server.close();
  await once(server, 'close');
}

function codeOf(error: unknown): unknown {
  return error instanceof GracefulRunError ? error.code : error;
}

describe('requests', () => {
  test('status answers with what the master says', async () => {
    const server = await start();
    const answer = await ask(server, 'GET', '/v1/status?x=1');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual(master.status);
  });

  test('an unknown route is 404, and a wrong method 405 with the right one', async () => {
    const server = await start();
    expect((await ask(server, 'GET', '/v2/status')).status).toBe(404);
    const text = await everything(server, 'DELETE /v1/reload HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 405 /);
    expect(text).toMatch(/^allow: POST\r$/im);
    expect(master.calls).toEqual([]);
  });

  test.each([
    ['not JSON', '{"wait":', 400],
    ['not an object', '[1]', 400],
    ['of the wrong type', '{"wait":"yes"}', 400],
    ['with an unknown key', '{"wiat":true}', 400],
    ['too large', JSON.stringify({ wait: 'x'.repeat(70_000) }), 413],
  ])('a body that is %s is refused and starts nothing', async (_what, body, status) => {
    const server = await start();
    const head = `POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    const text = await everything(server, head + body);
    expect(text.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(text).toContain('"controlRequestRejected"');
    expect(master.calls).toEqual([]);
  });

  test('a handler that throws costs its client a 500, and nobody else anything', async () => {
    const server = await openControlServer({
      name: 'web',
      folders: [folder.path],
      onChange,
      commands: {
        ...master.commands,
        status: () => Promise.reject(new Error('oops')),
        reload: () => {
          throw new GracefulRunError('masterStopped', 'cannot reload: stopping');
        },
      },
    });
    open.push(server);
    expect((await ask(server, 'GET', '/v1/status')).status).toBe(500);
    const refused = await ask(server, 'POST', '/v1/reload');
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([
      503,
      { error: { code: 'masterStopped' } },
    ]);
  });

  test('nonsense on the wire does not disturb the server', async () => {
    const server = await start();
    expect(await everything(server, 'good morning\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await ask(server, 'GET', '/v1/status')).status).toBe(200);
  });
});

describe('reload', () => {
  test('without wait it is accepted with the number of the generation', async () => {
    const server = await start();
    const answer = await ask(server, 'POST', '/v1/reload');
    expect([answer.status, JSON.parse(answer.body)]).toEqual([202, { generation: 2 }]);
    // The failure of a reload that nobody waits for is nobody's unhandled rejection.
    master.outcome.reject(new Error('stopped'));
  });

  test.each([
    ['200 when the generation serves', served, 200],
    ['409 when it failed', failed, 409],
  ])('with wait it answers at the end: %s', async (_title, result, status) => {
    const server = await start();
    const asking = ask(server, 'POST', '/v1/reload', { wait: true });
    await master.called('reload');
    master.outcome.resolve(result);
    const answer = await asking;
    expect([answer.status, JSON.parse(answer.body)]).toEqual([status, result]);
  });

  test('a client that goes away while it waits leaves nothing behind', async () => {
    const server = await start();
    const body = '{"wait":true}';
    const head = `POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = await rawConnection(server.path, head + body);
    await master.called('reload');
    socket.destroy();
    await once(socket, 'close');
    master.outcome.resolve(served);
    expect((await ask(server, 'GET', '/v1/status')).status).toBe(200);
  });

  test('of requests that are sent one behind the other, the first is answered, and none keeps the server from closing', async () => {
    const server = await start();
    const request = 'GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n';
    const text = await everything(server, request.repeat(3));
    expect(text.match(/HTTP\/1.1 /g)).toHaveLength(1);
    const following = await rawConnection(
      server.path,
      'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3),
    );
    await once(following, 'data');
    expect(master.listeners.size).toBe(1);
    following.destroy();
    await server.close();
  });

  test('an outcome that will never be known ends as masterStopped when the server closes', async () => {
    const server = await start();
    const asking = ask(server, 'POST', '/v1/reload', { wait: true });
    await master.called('reload');
    await server.close();
    const answer = await asking;
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
      503,
      { error: { code: 'masterStopped' } },
    ]);
  });
});

describe('stop', () => {
  test('with wait the pid comes at once and the answer ends with the stop', async () => {
    const server = await start();
    const said: string[] = [];
    const first = settleable<undefined>();
    const asking = followControl(
      { path: server.path, method: 'POST', route: '/v1/stop', body: { wait: true } },
      (text) => {
        said.push(text);
        first.resolve(undefined);
        return true;
      },
    );
    await first.promise;
    expect(JSON.parse(said.join(''))).toEqual({ pid: process.pid });
    master.done.resolve(undefined);
    expect(await asking).toBe(null);
  });

  test('with wait the answer also ends when the server closes as the last thing of the stop', async () => {
    const server = await start();
    const asking = ask(server, 'POST', '/v1/stop', { wait: true });
    await master.called('stop');
    await server.close();
    expect((await asking).status).toBe(202);
  });
});

describe('events', () => {
  test('every follower gets every event as a line, until the server closes', async () => {
    const server = await start();
    const follow = async (): Promise<string> => (await ask(server, 'GET', '/v1/events')).body;
    const following = [follow(), follow()];
    while (master.listeners.size < 2) await new Promise((resolve) => setImmediate(resolve));
    const event = { event: 'listenersClosed', program: 'web', time: 1 } as const;
    master.emit(event);
    master.emit(event);
    await server.close();
    const line = `${JSON.stringify(event)}\n`;
    expect(await Promise.all(following)).toEqual([line + line, line + line]);
  });

  test('a follower that goes away is forgotten', async () => {
    const server = await start();
    const socket = await rawConnection(server.path, 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await master.called('unsubscribe');
    expect(master.listeners.size).toBe(0);
  });

  test('a follower that does not read is dropped after a megabyte', async () => {
    const server = await start();
    const socket = await rawConnection(server.path, 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await master.called('subscribe');
    const path = 'x'.repeat(10_000);
    let sent = 0;
    while (master.listeners.size > 0 && sent < 2_000) {
      master.emit({ event: 'fileChanged', path, program: 'web', time: 1 });
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeGreaterThan(90);
    expect(sent).toBeLessThan(300);
    socket.destroy();
  });
});

describe('an upgrade', () => {
  test('is answered only if it fails', async () => {
    const server = await start();
    const asking = ask(server, 'POST', '/v1/upgrade');
    await master.called('upgrade');
    const error = {
      code: 'upgradeFailed',
      message: 'cannot upgrade: web is starting',
      hint: 'wait',
    } as const;
    master.upgrading.reject(new GracefulRunError(error.code, error.message, error));
    const answer = await asking;
    expect([answer.status, JSON.parse(answer.body)]).toEqual([409, { error }]);
  });

  test('that is under way when the server closes is answered with masterStopped', async () => {
    const server = await start();
    const asking = ask(server, 'POST', '/v1/upgrade');
    await master.called('upgrade');
    await server.close();
    expect(await asking).toMatchObject({
      status: 503,
      body: expect.stringContaining('masterStopped') as string,
    });
  });
});

describe('clients that leak connections', () => {
  const follow = 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n';

  async function leak(server: ControlServer, text: string, count: number): Promise<() => void> {
    const sockets = await Promise.all(Array.from({ length: count }, () => rawConnection(server.path, text)));
    for (const socket of sockets) socket.on('error', () => undefined);
    return () => {
      for (const socket of sockets) socket.destroy();
    };
  }

  test.each([
    ['followers of the events', follow],
    ['connections that ask nothing', ''],
    ['connections that stop in the middle of a request', 'GET /v1/st'],
    ['reloads that wait', 'POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n{"wait":true}'],
  ])('300 %s do not keep the operator out', async (_what, text) => {
    const server = await start();
    const end = await leak(server, text, 300);
    expect((await ask(server, 'GET', '/v1/status')).status).toBe(200);
    expect((await ask(server, 'POST', '/v1/reload')).status).toBe(202);
    end();
    await eventually('forgotten', () => master.listeners.size === 0);
  });

  test('one follower too many is refused with the reason, and there is room again when one has gone', async () => {
    const server = await start();
    const end = await leak(server, follow, 128);
    await eventually('all follow', () => master.listeners.size === 128);
    const refused = await ask(server, 'GET', '/v1/events');
    expect(refused.status).toBe(503);
    expect(refused.body).toContain('128 connections already follow events');
    end();
    await eventually('forgotten', () => master.listeners.size === 0);
    const again = await leak(server, follow, 1);
    await eventually('follows', () => master.listeners.size === 1);
    again();
    await eventually('forgotten', () => master.listeners.size === 0);
  });

  test('upgrades count as requests that wait, of which there may be 256', async () => {
    const server = await start();
    const end = await leak(server, 'POST /v1/upgrade HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 256);
    await eventually('all wait', () => master.calls.length === 256);
    const refused = await ask(server, 'POST', '/v1/upgrade');
    expect([refused.status, refused.body]).toEqual([
      503,
      expect.stringContaining('256 requests already wait'),
    ]);
    end();
  });

  test('a request that comes byte by byte has ten seconds in all', async () => {
    const server = await start();
    const socket = await rawConnection(server.path, 'GET /v1/status HTTP/1.1\r\n');
    socket.on('error', () => undefined);
    // once() would reject if a write fails, which happens if the server has closed the connection in between.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const dripping = setInterval(() => socket.write('x'), 500);
    const began = performance.now();
    await closed;
    clearInterval(dripping);
    expect(performance.now() - began).toBeGreaterThan(9_000);
    expect(performance.now() - began).toBeLessThan(14_000);
  }, 20_000);
});

describe('the socket', () => {
  test('only its owner can open it, and the folder is made for the owner alone', async () => {
    const made = join(folder.path, 'graceful-run');
    const server = await openControlServer({
      name: 'web',
      folders: [made],
      commands: master.commands,
      onChange,
    });
    open.push(server);
    expect(lstatSync(made).mode & 0o777).toBe(0o700);
    expect(lstatSync(server.path).mode & 0o777).toBe(0o600);
    expect(readdirSync(made)).toEqual(['web.sock']);
  });

  test('the first usable folder wins', async () => {
    const missing = join(folder.path, 'missing', 'graceful-run');
    const server = await openControlServer({
      name: 'web',
      folders: [missing, folder.path],
      commands: master.commands,
      onChange,
    });
    open.push(server);
    expect(server.path).toBe(join(folder.path, 'web.sock'));
  });

  test('one on which nobody listens any more is replaced', async () => {
    const path = join(folder.path, 'web.sock');
    await leaveStaleSocket(path);
    const server = await start();
    expect((await ask(server, 'GET', '/v1/status')).status).toBe(200);
  });

  test('a living master keeps its name, and the error tells its pid and --name', async () => {
    const first = await start();
    const error: unknown = await start().catch((caught: unknown) => caught);
    expect(codeOf(error)).toBe('nameTaken');
    expect(error).toMatchObject({
      message: expect.stringContaining(String(process.pid)) as unknown,
      hint: expect.stringContaining('--name') as unknown,
    });
    expect((await ask(first, 'GET', '/v1/status')).status).toBe(200);
  });

  test('of many that start at once over a stale socket, one gets the name', async () => {
    await leaveStaleSocket(join(folder.path, 'web.sock'));
    const results = await Promise.allSettled([1, 2, 3, 4, 5].map(() => start()));
    const codes = results.map((result) => (result.status === 'fulfilled' ? 'opened' : codeOf(result.reason)));
    expect(codes.sort()).toEqual(['nameTaken', 'nameTaken', 'nameTaken', 'nameTaken', 'opened']);
  });

  test('one that is removed, with its folder or alone, is made again, and followers go on', async () => {
    const runtime = join(folder.path, 'run');
    const server = await openControlServer({
      name: 'web',
      folders: [runtime],
      commands: master.commands,
      onChange,
    });
    open.push(server);
    const follower = await rawConnection(server.path, 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await master.called('subscribe');
    for (const remove of [
      () => {
        rmSync(runtime, { recursive: true });
      },
      () => {
        rmSync(server.path);
      },
    ]) {
      const before = master.changes.length;
      remove();
      await eventually('made again', () => master.changes.length > before);
      expect(master.changes.at(-1)).toEqual({ change: 'restored', control: server.path, problem: null });
      expect(lstatSync(server.path).mode & 0o777).toBe(0o600);
      expect((await ask(server, 'GET', '/v1/status')).status).toBe(200);
    }
    let text = '';
    follower.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    master.emit({ event: 'listenersClosed', program: 'web', time: 1 });
    await eventually('the follower is told', () => text.includes('listenersClosed'));
    follower.destroy();
  });

  test('restore makes it again at once, in the next folder where the first is gone for good', async () => {
    const session = join(folder.path, 'session');
    mkdirSync(session);
    const [first, second] = [join(session, 'run'), join(folder.path, 'next')];
    const server = await openControlServer({
      name: 'web',
      folders: [first, second],
      commands: master.commands,
      onChange,
    });
    open.push(server);
    rmSync(session, { recursive: true });
    await Promise.all([server.restore(), server.restore()]);
    expect(server.path).toBe(join(second, 'web.sock'));
    expect(master.changes).toEqual([
      {
        change: 'restored',
        control: server.path,
        problem: expect.stringContaining(`there is no ${session}`) as unknown,
      },
    ]);
    expect((await ask(server, 'GET', '/v1/status')).status).toBe(200);
    await server.restore();
    expect(master.changes.length).toBe(1);
  });

  test('one that cannot be made again is reported, and the next restore tries it', async () => {
    const runtime = join(folder.path, 'run');
    const server = await openControlServer({
      name: 'web',
      folders: [runtime],
      commands: master.commands,
      onChange,
    });
    open.push(server);
    rmSync(runtime, { recursive: true });
    writeFileSync(runtime, 'in the way');
    await server.restore();
    expect(master.changes).toMatchObject([{ change: 'lost' }]);
    rmSync(runtime);
    await server.restore();
    expect(master.changes).toMatchObject([{ change: 'lost' }, { change: 'restored' }]);
    expect((await ask(server, 'GET', '/v1/status')).status).toBe(200);
  });

  test('a master that has taken the name meanwhile keeps it', async () => {
    const server = await start();
    renameSync(server.path, join(folder.path, 'moved'));
    const other = new FakeMaster();
    const taken = await openFake(folder.path, other);
    open.push(taken);
    await server.restore();
    expect(master.changes.at(-1)).toMatchObject({ change: 'lost' });
    await server.close();
    expect((await ask(taken, 'GET', '/v1/status')).status).toBe(200);
    rmSync(join(folder.path, 'moved'));
  });

  test('folders with a path that is too long, of another kind or without permission are passed over, and that is said', async () => {
    const long = join(folder.path, 'x'.repeat(100));
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    const good = join(folder.path, 'good');
    const server = await openControlServer({
      name: 'web',
      folders: [long, file, good],
      commands: master.commands,
      onChange,
    });
    open.push(server);
    expect(server.path).toBe(join(good, 'web.sock'));
    expect(master.changes).toMatchObject([{ change: 'elsewhere', control: server.path }]);
    const [{ problem } = { problem: '' }] = master.changes as { problem: string }[];
    expect(problem).toContain('bytes long');
    expect(problem).toContain(`${file}: it is not a directory`);
  });

  test('one that cannot be removed at the end is reported, and the end is an end all the same', async () => {
    const server = await start();
    const owner = process.geteuid?.() ?? 0;
    chmodSync(folder.path, 0o500);
    // Root may remove it whatever the mode says.
    if (owner === 0) process.seteuid?.(65_534);
    try {
      await server.close();
    } finally {
      if (owner === 0) process.seteuid?.(0);
      chmodSync(folder.path, 0o700);
    }
    expect(master.changes).toEqual([
      {
        change: 'left',
        control: server.path,
        problem: expect.stringContaining('permission denied') as unknown,
      },
    ]);
    rmSync(server.path);
  });

  test('close removes it, but not the one that has taken its place', async () => {
    const first = await start();
    await first.close();
    expect(existsSync(first.path)).toBe(false);
    const second = await start();
    renameSync(second.path, join(folder.path, 'elsewhere'));
    writeFileSync(second.path, 'not ours');
    await second.close();
    expect(existsSync(second.path)).toBe(true);
  });

  test('close is not held up by a connection that asks nothing, nor by a follower that does not read', async () => {
    const server = await start();
    const silent = await rawConnection(server.path, 'GET /v1/st');
    const follower = await rawConnection(server.path, 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await master.called('subscribe');
    const closed = [once(silent, 'close'), once(follower.resume(), 'close')];
    silent.resume();
    await Promise.all([server.close(), server.close()]);
    await Promise.all(closed);
  });

  test.each([
    [
      'a link',
      (path: string) => {
        symlinkSync(folder.path, path);
      },
    ],
    [
      'a file',
      (path: string) => {
        writeFileSync(path, '');
      },
    ],
    [
      'open to other users',
      (path: string) => {
        mkdirSync(path);
        chmodSync(path, 0o777);
      },
    ],
  ])('a folder that is %s is refused', async (_what, make) => {
    const path = join(folder.path, 'place');
    make(path);
    const opening = openControlServer({ name: 'web', folders: [path], commands: master.commands, onChange });
    expect(codeOf(await opening.catch((error: unknown) => error))).toBe('controlSocketUnusable');
  });

  test.runIf(mayRun(isRoot))('a folder of another user is refused', async () => {
    chownSync(folder.path, 12_345, 12_345);
    expect(codeOf(await start().catch((error: unknown) => error))).toBe('controlSocketUnusable');
  });

  test('a path that is too long is refused with a hint', async () => {
    const deep = join(folder.path, 'x'.repeat(100));
    const opening = openControlServer({ name: 'web', folders: [deep], commands: master.commands, onChange });
    const error: unknown = await opening.catch((caught: unknown) => caught);
    expect(codeOf(error)).toBe('controlSocketUnusable');
  });

  test('a name that is not a file name is refused', async () => {
    expect(codeOf(await start('../web').catch((error: unknown) => error))).toBe('badOption');
  });
});
