// UNIX sockets (unix(7)) as listeners of a program.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CountingClient } from '../helpers/counting-client.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  app,
  appPath,
  runMaster,
  type RunningMaster,
  type RunOptions,
  temporaryFolder,
} from '../helpers/run-master.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { Wire } from '../helpers/wire.ts';
import { emptyTally, failureCounts } from '../helpers/tally.ts';
import { isRoot, mayRun } from '../helpers/required-programs.ts';

function run(path: string, { flags = [], env = {}, ...options }: RunOptions = {}): RunningMaster {
  return runMaster({
    command: app('serves-at-path'),
    hasOwnFlags: false,
    ...options,
    name: 'app',
    flags: [
      ...(flags.includes('--listen') ? [] : ['--listen', `unix:${path}`]),
      ...['--name', 'app', '--log-level', 'debug', '--log-format', 'json', '--probation', '0s'],
      ...flags,
    ],
    env: { APP_SOCKET: path, ...env },
  });
}

interface Who {
  readonly pid: number;
  readonly generation: number;
  readonly at: string;
}

async function ask(socketPath: string): Promise<Who> {
  const request = http.get({ socketPath, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return JSON.parse(body) as Who;
}

async function settled(master: RunningMaster): Promise<void> {
  await master.waitFor('generationReady', { generation: 1 });
}

test.each([
  ['as a path', '0'],
  ['in an object', '1'],
])(
  'a program that removes its socket and listens there serves on the one that is held: %s',
  async (_how, asObject) => {
    const path = join(temporaryFolder(), 'app.sock');
    const master = run(path, { env: { AS_OBJECT: asObject } });
    await settled(master);
    expect(await master.waitFor('listenerBound')).toMatchObject({
      type: 'unix',
      path,
      host: null,
      port: null,
    });
    expect(await ask(path)).toMatchObject({ generation: 1, at: path });
    await master.reload(2);
    expect(await ask(path)).toMatchObject({ generation: 2, at: path });
    expect((await master.status()).listeners).toEqual([
      { name: 'default', type: 'unix', host: null, port: null, path, reusePort: false },
    ]);
    master.signal('SIGTERM');
    await master.exited;
    expect(existsSync(path)).toBe(false);
  },
);

test('12 reloads under load fail no request, and keep every connection open', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const master = run(path, { flags: ['--workers', '2'] });
  await settled(master);
  const loads = (['keepAlive', 'fresh'] as const).map((mode) =>
    startLoad({ port: 0, socketPath: path, mode, clients: 4, maxMs: 90_000 }),
  );
  await Promise.all(loads.map((load) => load.moreAnswers(20)));
  for (let generation = 2; generation <= 13; generation++) {
    await master.reload(generation);
    await master.waitFor('workerExited', { generation: generation - 1, slot: 0 });
    await master.waitFor('workerExited', { generation: generation - 1, slot: 1 });
    await Promise.all(loads.map((load) => load.moreAnswers(20)));
  }
  const [kept, fresh] = await Promise.all(loads.map((load) => load.stop()));
  expect([kept, fresh].map((tally) => failureCounts(tally ?? emptyTally()))).toEqual([{}, {}]);
  expect(kept).toMatchObject({ connections: 4, closedIdle: 0, closedAsAnnounced: 0 });
  expect(fresh).toMatchObject({ closedIdle: 0 });
  expect(master.all('workerExited').reduce((sum, { migrated }) => sum + (migrated ?? 0), 0)).toBeGreaterThan(
    0,
  );
}, 90_000);

test('a connection of a custom protocol moves, with its state, and the kernel still says who is at the other end', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const command = [process.execPath, appPath('moves-unix').replace(/\.cjs$/, '.mjs')];
  const master = run(path, { command });
  await settled(master);
  const wire = await Wire.connectPath(path);
  const say = async (text: string): Promise<unknown> => {
    wire.received = '';
    wire.write(`${text}\n`);
    await wire.until('\n');
    return JSON.parse(wire.received);
  };
  const peer = [process.pid, process.geteuid?.(), process.getegid?.()];
  for (const generation of [1, 2, 3]) {
    if (generation > 1) {
      await master.reload(generation);
      expect(await master.waitFor('workerExited', { generation: generation - 1 })).toMatchObject({
        migrated: 1,
        cut: 0,
      });
    }
    expect(await say('hello')).toEqual({ text: 'hello', lines: generation, generation, peer });
  }
  wire.socket.destroy();
});

test('a WebSocket moves', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const counts = new URL('../fixtures/websockets/counts.mjs', import.meta.url).pathname;
  const master = run(path, { command: [process.execPath, counts] });
  await settled(master);
  const clients = await Promise.all(
    ['/one', '/two'].map(async (at) => CountingClient.connect(0, { socketPath: path, path: at })),
  );
  for (const generation of [1, 2, 3]) {
    if (generation > 1) {
      await master.reload(generation);
      expect(await master.waitFor('workerExited', { generation: generation - 1 })).toMatchObject({
        migrated: 2,
        cut: 0,
      });
    }
    for (const client of clients)
      expect(await client.ask({ ask: 'who' })).toMatchObject({ n: generation, generation, clients: 2 });
  }
  for (const client of clients) {
    expect(client.mistakes).toEqual([]);
    client.ws.terminate();
  }
});

test('a worker that crashes is replaced at the same socket', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const master = run(path);
  await settled(master);
  const { pid } = await ask(path);
  process.kill(pid, 'SIGKILL');
  await eventually('another one answers', async () => (await ask(path)).pid !== pid);
});

test('an abstract socket has no file', async () => {
  // As long as a name can be: Node.js 20 fills up a shorter one with zero bytes when it connects.
  const name = `graceful-run-test-${process.pid}-`.padEnd(107, 'x');
  const master = run(`@${name}`);
  await settled(master);
  expect(await ask(`\0${name}`)).toMatchObject({ generation: 1 });
  await master.reload(2);
  expect(await ask(`\0${name}`)).toMatchObject({ generation: 2 });
});

test('the file has the permissions that are asked for from its first moment', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const master = run(path, { flags: ['--socket-mode', '0620'] });
  await master.waitFor('listenerBound');
  expect(lstatSync(path).mode & 0o777).toBe(0o620);
});

/** Of a user or a group of this machine. */
function idOf(database: 'passwd' | 'group', name: string): number {
  const line = readFileSync(`/etc/${database}`, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  return Number(line?.split(':')[2]);
}

test.runIf(mayRun(isRoot)).each([
  ['nobody', { uid: idOf('passwd', 'nobody'), gid: process.getegid?.() }],
  ['nobody:daemon', { uid: idOf('passwd', 'nobody'), gid: idOf('group', 'daemon') }],
  [':daemon', { uid: 0, gid: idOf('group', 'daemon') }],
  ['4242:4343', { uid: 4242, gid: 4343 }],
])('the file belongs to the owner that is asked for: %s', async (owner, { uid, gid }) => {
  const path = join(temporaryFolder(), 'app.sock');
  const master = run(path, { flags: ['--socket-owner', owner, '--socket-mode', '0660'] });
  await settled(master);
  const file = lstatSync(path);
  expect({ uid: file.uid, gid: file.gid, mode: file.mode & 0o777 }).toEqual({ uid, gid, mode: 0o660 });
  expect(await ask(path)).toMatchObject({ generation: 1 });
  await master.reload(2);
  expect(lstatSync(path)).toMatchObject({ uid, gid });
});

test.each([
  ['no-such-user-here', 'there is no user no-such-user-here'],
  [':no-such-group-here', 'there is no group no-such-group-here'],
])('an owner that does not exist leaves no file: %s', async (owner, problem) => {
  const path = join(temporaryFolder(), 'app.sock');
  const master = run(path, { flags: ['--socket-owner', owner] });
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain(`cannot listen on unix:${path}`);
  expect(master.output).toContain(problem);
  expect(existsSync(path)).toBe(false);
});

test('a path through a symlinked folder is the same socket', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'run'));
  symlinkSync(join(folder, 'run'), join(folder, 'var'));
  const path = join(folder, 'run', 'app.sock');
  const master = run(path, { env: { APP_SOCKET: join(folder, 'var', 'app.sock') } });
  await settled(master);
  expect(await ask(path)).toMatchObject({ generation: 1 });
  expect(master.all('undeclaredListen')).toEqual([]);
});

test('a stale file is replaced; one that is listened on, and any other file, is not', async () => {
  const folder = temporaryFolder();
  const stale = join(folder, 'stale.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(stale)}, () => console.log('listens'))`;
  const killed = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(lstatSync(stale).isSocket()).toBe(true);
  const replaces = run(stale);
  await settled(replaces);
  expect(await ask(stale)).toMatchObject({ generation: 1 });
  const live = join(folder, 'live.sock');
  const server = net.createServer().listen(live);
  await once(server, 'listening');
  const refused = run(live);
  expect(await refused.exited).toMatchObject({ code: 1 });
  expect(refused.output).toContain(
    `cannot listen on unix:${live}: the address is in use by pid ${process.pid}`,
  );
  expect(lstatSync(live).isSocket()).toBe(true);
  server.close();
  const file = join(folder, 'a-file');
  writeFileSync(file, 'kept');
  const other = run(file);
  expect(await other.exited).toMatchObject({ code: 1 });
  expect(other.output).toContain('a file is there that is not a socket');
  expect(existsSync(file)).toBe(true);
  const inDirectory = run(folder);
  expect(await inDirectory.exited).toMatchObject({ code: 1 });
  expect(inDirectory.output).toContain(`it is a directory`);
  expect(inDirectory.output).toContain(`choose a path in it, such as unix:${folder}/app.sock`);
});

test('the file that a killed master has left behind is taken over', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const first = run(path);
  await settled(first);
  first.signal('SIGKILL');
  await first.exited;
  const second = run(path, { runtime: first.runtime });
  await settled(second);
  expect(await ask(path)).toMatchObject({ generation: 1 });
  expect(second.all('listenerBound')).toHaveLength(1);
});

test.each([
  ['a path that is too long', (folder: string) => join(folder, 'x'.repeat(100)), 'may be 107 bytes long'],
  ['a folder that is not there', (folder: string) => join(folder, 'none', 'app.sock'), 'ENOENT'],
])('says what is wrong with %s', async (_what, pathIn, problem) => {
  const master = run(pathIn(temporaryFolder()));
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain(problem);
});

test('ports and paths beside each other', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const master = runMaster({
    command: app('serves-both'),
    hasOwnFlags: false,
    flags: [
      ...['--listen', '127.0.0.1:0', `unix:${path}`, '--name', 'both'],
      ...['--log-level', 'debug', '--log-format', 'json', '--probation', '0s'],
    ],
    env: { APP_SOCKET: path },
  });
  await settled(master);
  const port = await master.port();
  for (const generation of [1, 2]) {
    if (generation > 1) await master.reload(generation);
    expect(await ask(path)).toMatchObject({ generation });
    // On a new connection: one that is kept open may still be with the old worker.
    expect(await whoAnswers(port)).toMatchObject({ generation });
  }
  chmodSync(path, 0o600);
});
