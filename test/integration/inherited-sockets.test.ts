// A master that is started with sockets, as by systemd's socket activation and by Server::Starter.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  app,
  runMaster,
  type RunningMaster,
  type RunOptions,
  temporaryFolder,
} from '../helpers/run-master.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { canRun } from '../helpers/required-programs.ts';
import { whoAnswersDatagrams } from '../helpers/datagrams.ts';
import { freePort, queueUp, whoAnswers } from '../helpers/plain-client.ts';

const activate = 'systemd-socket-activate';

/**
 * Binds and listens on `at`, hands the sockets on from descriptor 3, keeps them, and runs the command: what systemd does. Python, because Node.js
 * would accept from a socket that it listens on.
 */
const socketOwner = `
import os, socket, sys
kept = []
for at in sys.argv[1].split(","):
    if at.startswith("/"):
        one = socket.socket(socket.AF_UNIX); one.bind(at)
    elif at.startswith("datagrams:"):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); one.bind(at[10:])
    elif at == "connected":
        end = socket.socket(); end.bind(("127.0.0.1", 0)); end.listen(1); one = socket.create_connection(end.getsockname())
        os.dup2(end.fileno(), 40 + len(kept))
    elif at.startswith("udp:"):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); one.bind(("127.0.0.1", int(at[4:])))
    elif at.startswith("[::1]:"):
        one = socket.socket(socket.AF_INET6); one.bind(("::1", int(at[6:])))
    else:
        one = socket.socket(); one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); one.bind((at.split(":")[0] if ":" in at else "127.0.0.1", int(at.split(":")[-1])))
    if one.type != socket.SOCK_DGRAM and at != "connected": one.listen(64)
    kept.append(one)
    os.dup2(one.fileno(), 2 + len(kept) + 20)
for n in range(len(kept)): os.dup2(23 + n, 3 + n)
for variable in sys.argv[2].split("&"):
    name, _, value = variable.partition("=")
    os.environ[name] = value.replace("PID", str(os.getpid()))
os.execvp(sys.argv[3], sys.argv[3:])
`;

function run(
  sockets: readonly string[],
  variables: string,
  flags: readonly string[],
  options: Pick<RunOptions, 'command' | 'env'> = {},
): RunningMaster {
  return runMaster({
    through: ['python3', '-c', socketOwner, sockets.join(), variables],
    hasOwnFlags: false,
    name: 'app',
    flags: ['--name', 'app', '--log-level', 'debug', '--log-format', 'json', '--probation', '0s', ...flags],
    ...options,
  });
}

test.each([
  ['systemd', 'LISTEN_PID=PID&LISTEN_FDS=1'],
  ['systemd, by name', 'LISTEN_PID=PID&LISTEN_FDS=1&LISTEN_FDNAMES=default'],
])('serves from a socket of %s, and reloads', async (_owner, variables) => {
  const port = await freePort();
  await expectToServe(run([String(port)], variables, ['--port', String(port)]), port);
});

test.skipIf(!canRun(['start_server']))(
  'serves from the socket of start_server, reloads, and ends when start_server is told to',
  async () => {
    const port = await freePort();
    const master = runMaster({
      through: ['start_server', '--port', `127.0.0.1:${port}`, '--'],
      flags: ['--port', String(port)],
    });
    await expectToServe(master, port);
    // If the master ended by itself, start_server would start another one.
    master.child.kill('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(master.pid)).toBe(false);
  },
);

async function expectToServe(master: RunningMaster, port: number): Promise<void> {
  await master.waitFor('generationReady', { generation: 1 });
  expect(await master.waitFor('listenerBound')).toMatchObject({ host: '127.0.0.1', port });
  expect(master.all('inheritedSocketUnused')).toEqual([]);
  expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  await master.reload(2);
  expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
}

test.each(['[0:0:0:0:0:0:0:1]', '[::0001]', 'LOCALHOST'])(
  'takes a socket on ::1 when its address is written as %s',
  async (host) => {
    const port = await freePort();
    const master = run([`[::1]:${port}`], 'LISTEN_PID=PID&LISTEN_FDS=1', ['--listen', `${host}:${port}`]);
    await master.waitFor('generationReady', { generation: 1 });
    expect(await master.waitFor('listenerBound')).toMatchObject({ host: '::1', port });
    expect(master.all('inheritedSocketUnused')).toEqual([]);
  },
);

test.each([
  ['by its address', 'LISTEN_PID=PID&LISTEN_FDS=1'],
  ['by its name', 'LISTEN_PID=PID&LISTEN_FDS=1&LISTEN_FDNAMES=dns'],
])('takes a UDP socket %s, and reloads', async (_how, variables) => {
  const port = await freePort();
  const master = run([`udp:${port}`], variables, ['--listen', `dns=udp:127.0.0.1:${port}`], {
    command: app('serves-udp'),
  });
  await master.waitFor('generationReady', { generation: 1 });
  expect(await master.waitFor('listenerBound')).toMatchObject({ type: 'udp', host: '127.0.0.1', port });
  expect(master.all('inheritedSocketUnused')).toEqual([]);
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 1 });
  await master.reload(2);
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 2 });
});

test('a server that listens everywhere fits two sockets of one name: nothing warns of it', async () => {
  const port = await freePort();
  const master = run(
    [`127.0.0.1:${port}`, `127.0.0.2:${port}`],
    'LISTEN_PID=PID&LISTEN_FDS=2&LISTEN_FDNAMES=web:web',
    ['--listen', `web=${port}`],
  );
  await master.waitFor('generationReady', { generation: 1 });
  expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  await master.reload(2);
  expect(master.all('listenerBound').map(({ host }) => host)).toEqual(['127.0.0.1', '127.0.0.2']);
  expect(master.all('narrowListen')).toEqual([]);
});

test('takes a UNIX socket, leaves its file to its owner, and reports one that no program listens on', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const port = await freePort();
  const master = run(
    [path, String(port)],
    'LISTEN_PID=PID&LISTEN_FDS=2&LISTEN_FDNAMES=web:admin',
    ['--listen', `unix:${path}`],
    { command: app('serves-at-path'), env: { APP_SOCKET: path } },
  );
  await master.waitFor('generationReady', { generation: 1 });
  expect(await master.waitFor('inheritedSocketUnused')).toMatchObject({ socket: 'admin', port });
  master.signal('SIGTERM');
  expect(await master.exited).toMatchObject({ code: 0 });
  expect(existsSync(path)).toBe(true);
});

test('of two sockets, a listener takes the one of its name, wherever the other one is', async () => {
  const [one, other] = [await freePort(), await freePort()];
  const master = run(
    [String(one), String(other)],
    'LISTEN_PID=PID&LISTEN_FDS=2&LISTEN_FDNAMES=second:first',
    ['--listen', `first=127.0.0.1:${one}`, '--listen', `second=127.0.0.1:${other}`],
    { command: app('listens-on-ports'), env: { PORTS: `${one},${other}` } },
  );
  await master.waitFor('generationReady', { generation: 1 });
  expect(master.all('listenerBound')).toMatchObject([
    { listener: 'first', port: other },
    { listener: 'second', port: one },
  ]);
  expect(master.all('inheritedSocketUnused')).toEqual([]);
});

test.each([
  ['the same descriptor twice', 'SERVER_STARTER_PORT=127.0.0.1:PORT=3;PORT=3'],
  ['standard streams', 'SERVER_STARTER_PORT=8000=0;8001=1;8002=2;127.0.0.1:PORT=3'],
  ['more descriptors than there are sockets', 'LISTEN_PID=PID&LISTEN_FDS=200'],
])('announced are %s: only the socket that was given is taken', async (_what, variables) => {
  const port = await freePort();
  const master = run([String(port)], variables.replaceAll('PORT=3', `${port}=3`), ['--port', String(port)]);
  await master.waitFor('generationReady', { generation: 1 });
  expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  // None of the sockets that the master has opened itself.
  expect(master.all('inheritedSocketUnused')).toEqual([]);
});

test('a connected socket, and one for datagrams, is not listened on, whatever its name is', async () => {
  const port = await freePort();
  const path = join(temporaryFolder(), 'datagrams.sock');
  const master = run(
    ['connected', `datagrams:${path}`],
    'LISTEN_PID=PID&LISTEN_FDS=2&LISTEN_FDNAMES=default:log',
    ['--port', String(port)],
  );
  await master.waitFor('generationReady', { generation: 1 });
  expect(await master.waitFor('listenerBound')).toMatchObject({ port });
  expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  expect(master.all('inheritedSocketUnused')).toMatchObject([
    { socket: 'default', type: 'tcp' },
    { socket: 'log', type: 'unix', path },
  ]);
});

test.each([
  ['a LISTEN_PID that is not its own', '127.0.0.1', 'LISTEN_PID=1&LISTEN_FDS=1'],
  ['another address than is declared', '0.0.0.0', 'LISTEN_PID=PID&LISTEN_FDS=1'],
])('a socket that it was given with %s is what the error names', async (_how, host, variables) => {
  const port = await freePort();
  const master = run([String(port)], variables, ['--listen', `${host}:${port}`]);
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain('was started with, at descriptor 3');
});

test('a socket that two listeners mean is an error that names both', async () => {
  const port = await freePort();
  const master = run([String(port)], 'LISTEN_PID=PID&LISTEN_FDS=1', [
    ...['--listen', 'first=fd:3', '--listen', `second=127.0.0.1:${port}`],
  ]);
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain('first');
  expect(master.output).toContain('the same socket');
});

/** Starts a master under systemd-socket-activate, which waits for a client before it starts it. */
async function runActivated(
  address: string,
  owner: readonly string[],
  own: readonly string[],
): Promise<void> {
  const bin = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;
  const child = spawn(
    activate,
    [...owner, `--listen=${address}`, '-E', 'PATH', process.execPath, bin, '--no-control', ...own],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  onTestFinished(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await once(child.stderr, 'data');
}

test.skipIf(!canRun([activate]))(
  'under systemd-socket-activate, the client that has started it is answered',
  async () => {
    const port = await freePort();
    await runActivated(`127.0.0.1:${port}`, [], ['--port', String(port), '--', ...app('serves')]);
    const [first] = await queueUp(port, 1);
    expect(JSON.parse((await first)?.body ?? '')).toMatchObject({ generation: 1 });
  },
);

test.skipIf(!canRun([activate]))(
  'under systemd-socket-activate, the datagram that has started it is answered',
  async () => {
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    await runActivated(address, ['--datagram'], ['--listen', `udp:${address}`, '--', ...app('serves-udp')]);
    expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 1 });
  },
);
