// Sockets that graceful-run is started with and that its plan names by their descriptor: `fd:3`.
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whoAnswersDatagrams } from '../helpers/datagrams.ts';
import { runCheck } from '../helpers/run-check.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import {
  app,
  appPath,
  runMaster,
  temporaryFolder,
  type RunningMaster,
  type RunOptions,
} from '../helpers/run-master.ts';
import { freePort, get, whoAnswers } from '../helpers/plain-client.ts';

/** Makes what the words say (`5=tcp:3000`), each at its descriptor, which is inherited, and runs the command. Python: Node.js would accept. */
const opener = `
import os, socket, sys
kept, wanted = [], {}
for word in sys.argv[1].split(","):
    fd, _, what = word.partition("=")
    kind, _, at = what.partition(":")
    if kind == "tcp" or kind == "bound":
        one = socket.socket(); one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); one.bind(("127.0.0.1", int(at)))
        if kind == "tcp": one.listen(64)
    elif kind == "tcp6":
        one = socket.socket(socket.AF_INET6); one.bind(("::1", int(at))); one.listen(64)
    elif kind == "unix":
        one = socket.socket(socket.AF_UNIX); one.bind(at.replace("@", chr(0))); one.listen(64)
    elif kind == "datagrams":
        one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); one.bind(chr(0) + "graceful-run-test-" + str(os.getpid()))
    elif kind == "udp":
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); one.bind(("127.0.0.1", int(at)))
    elif kind == "connected":
        one, other = socket.socketpair(); kept.append(other)
    elif kind == "unbound":
        one = socket.socket()
    elif kind == "pipe":
        one = open(os.pipe()[0], "rb")
    else:
        one = open(at)
    kept.append(one)
    wanted[int(fd)] = os.dup2(one.fileno(), int(fd) + 40, inheritable=False)
for fd, at in wanted.items(): os.dup2(at, fd)
for word in sys.argv[2].split("&"):
    name, _, value = word.partition("=")
    if name: os.environ[name] = value.replace("PID", str(os.getpid()))
os.execvp(sys.argv[3], sys.argv[3:])
`;

function through(descriptors: readonly string[], variables = ''): readonly string[] {
  return ['python3', '-c', opener, descriptors.join(), variables];
}

function run(
  descriptors: readonly string[],
  flags: readonly string[],
  options: Pick<RunOptions, 'command' | 'env' | 'cwd'> & { readonly variables?: string } = {},
): RunningMaster {
  const { variables, ...others } = options;
  return runMaster({
    through: through(descriptors, variables),
    hasOwnFlags: false,
    name: 'app',
    flags: ['--log-format', 'json', ...flags],
    ...others,
  });
}

const common = ['--name', 'app', '--log-level', 'debug', '--probation', '0s'];

test.each([
  ['tcp', '127.0.0.1'],
  ['bound', '127.0.0.1'],
  ['tcp6', '::1'],
])('serves from a descriptor (%s), and reloads', async (kind, host) => {
  const port = await freePort();
  const master = run([`7=${kind}:${port}`], [...common, '--listen', 'web=fd:7']);
  await master.waitFor('generationReady', { generation: 1 });
  expect(await master.waitFor('listenerBound')).toMatchObject({ listener: 'web', type: 'tcp', host, port });
  if (host !== '::1') expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  await master.reload(2);
  if (host !== '::1') expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
});

test('serves from a UDP socket, and reloads', async () => {
  const port = await freePort();
  const master = run([`3=udp:${port}`], [...common, '--listen', 'fd:3'], { command: app('serves-udp') });
  await master.waitFor('generationReady', { generation: 1 });
  expect(await master.waitFor('listenerBound')).toMatchObject({ type: 'udp', host: '127.0.0.1', port });
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 1 });
  await master.reload(2);
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 2 });
});

test.each(['app.sock', '@abstract'])(
  'serves from a UNIX socket (%s), whose file stays its owner’s',
  async (name) => {
    const path = name.startsWith('@') ? `@${temporaryFolder()}` : join(temporaryFolder(), name);
    const master = run([`3=unix:${path}`], [...common, '--listen', 'fd:3'], {
      command: app('serves-at-path'),
      env: { APP_SOCKET: path },
    });
    expect(await master.waitFor('listenerBound')).toMatchObject({ listener: 'default', type: 'unix', path });
    await master.waitFor('generationReady', { generation: 1 });
    master.signal('SIGTERM');
    expect(await master.exited).toMatchObject({ code: 0 });
    if (!path.startsWith('@')) expect(statSync(path).isSocket()).toBe(true);
  },
);

test('a program is called after the port of its descriptor', async () => {
  const port = await freePort();
  const master = run([`3=tcp:${port}`], ['--log-level', 'debug', '--listen', 'fd:3']);
  expect(await master.waitFor('generationReady', { generation: 1 })).toMatchObject({ program: String(port) });
});

test('a socket that LISTEN_FDS announces may be named by its descriptor, too', async () => {
  const [port, other] = [await freePort(), await freePort()];
  const master = run([`3=tcp:${port}`, `4=tcp:${other}`], [...common, '--listen', 'fd:3'], {
    variables: 'LISTEN_PID=PID&LISTEN_FDS=2',
  });
  await master.waitFor('generationReady', { generation: 1 });
  expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  expect(await master.waitFor('inheritedSocketUnused')).toMatchObject({ port: other });
  expect(master.all('inheritedSocketUnused')).toHaveLength(1);
});

test.each([
  ['900', '3=unbound', 'descriptor 900 is not open'],
  ['3', '3=pipe', 'descriptor 3 is a pipe, not a socket'],
  ['3', '3=file:/etc/hosts', 'descriptor 3 is a file, not a socket'],
  ['3', '3=connected', 'descriptor 3 is a connected socket'],
  ['3', '3=datagrams', 'descriptor 3 is a UNIX socket for datagrams'],
  ['3', '3=unbound', 'descriptor 3 is a socket that is bound to no address'],
])('cannot listen on fd:%s with %s', async (fd, descriptor, reason) => {
  const master = run([descriptor], ['--name', 'app', '--listen', `fd:${fd}`]);
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain(`cannot listen on fd:${fd}: ${reason}`);
  const checked = await runCheck(['--listen', `fd:${fd}`, '--', ...app('serves')], {
    through: through([descriptor]),
  });
  expect(checked.code).toBe(2);
  expect(checked.lines.join('\n')).toContain(reason);
});

test('a descriptor of Node.js itself is not one that graceful-run was started with', async () => {
  const master = runMaster({ hasOwnFlags: false, flags: ['--name', 'app', '--listen', 'fd:3'] });
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain('graceful-run was not started with a socket at descriptor 3');
});

test.each([
  [['fd:1'], 'fd:1 is standard input, output or error'],
  [['fd:3', 'fd:3'], 'fd:3 is taken by another listener'],
])('a plan with %j is refused', async (listen, reason) => {
  const flags = listen.flatMap((one) => ['--listen', one]);
  const master = runMaster({ hasOwnFlags: false, flags: ['--name', 'app', ...flags] });
  expect(await master.exited).toMatchObject({ code: 2 });
  expect(master.output).toContain(reason);
});

test('a check knows the sockets that it is started with', async () => {
  const [port, other] = [await freePort(), await freePort()];
  const outcome = await runCheck(
    ['--run', '--listen', 'fd:3', '--listen', `${other}`, '--', ...app('listens-on-ports')],
    {
      through: through([`3=tcp:${port}`, `4=tcp:${other}`], 'LISTEN_PID=PID&LISTEN_FDS=2'),
      env: { PORTS: `${port},${other}` },
    },
  );
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
});

test('an update keeps the socket of a descriptor, takes another one, and none of the master’s own', async () => {
  const [a, b] = [await freePort(), await freePort()];
  const folder = temporaryFolder();
  const table = (name: string, fd: number, port: number, variable = '1'): string =>
    [
      `[program.${name}]`,
      `command = "${process.execPath} ${appPath('listens-on-ports')}"`,
      `listen = ["fd:${fd}"]`,
      `environment = { PORTS = "${port}", VARIABLE = "${variable}" }`,
      'probation = "0s"',
    ].join('\n');
  const write = (...tables: readonly string[]): void => {
    writeFileSync(join(folder, 'graceful.toml'), ['[master]\nname = "app"\n', ...tables].join('\n'));
  };
  write(table('shop', 3, a));
  const master = run([`3=tcp:${a}`, `4=tcp:${b}`], ['-c', 'graceful.toml'], { command: [], cwd: folder });
  await master.waitFor('generationReady', { program: 'shop' } as object);
  const env = { XDG_RUNTIME_DIR: master.runtime };
  const variable = async (port: number): Promise<unknown> =>
    (JSON.parse((await get(port)).body) as { readonly variable: unknown }).variable;

  write(table('shop', 3, a, '2'), table('mail', 4, b));
  expect(await gracefulctl(['update'], env)).toMatchObject({ code: 0 });
  expect([await variable(a), await variable(b)]).toEqual(['2', '1']);
  // Another program may have it, with its queue.
  write(table('post', 3, a, '3'));
  expect(await gracefulctl(['update'], env)).toMatchObject({ code: 0 });
  expect(await variable(a)).toBe('3');
  write(table('post', 3, a, '3'), table('mail', 4, b, '4'));
  expect(await gracefulctl(['update'], env)).toMatchObject({ code: 0 });
  expect(await variable(b)).toBe('4');

  const known = new Set([3, 4]);
  const own = readdirSync(`/proc/${master.pid}/fd`)
    .map(Number)
    .filter((fd) => fd > 4 && !known.has(fd) && statSync(`/proc/${master.pid}/fd/${fd}`).isSocket());
  for (const fd of own) {
    write(table('post', 3, a, '3'), table('thief', fd, a));
    const refused = await gracefulctl(['update'], env);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain(`graceful-run was not started with a socket at descriptor ${fd}`);
  }
  expect(own.length).toBeGreaterThan(0);
});
