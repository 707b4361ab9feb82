// The options of listening sockets, as the kernel tells them in a worker.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCheck } from '../helpers/run-check.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { freePort, get } from '../helpers/plain-client.ts';

const program = new URL('../fixtures/apps/tells-socket-options.py', import.meta.url).pathname;

interface Told {
  readonly pid: number;
  readonly listeners: readonly Options[];
  readonly accepted: readonly number[];
}

interface Options {
  readonly at: string;
  readonly backlog: number;
  readonly ipv6Only: number | null;
  readonly freebind: number;
  readonly fastOpen: number;
  readonly deferAccept: number;
  readonly keepAlive: readonly number[];
}

async function ask(port: number): Promise<Told> {
  return JSON.parse((await get(port)).body) as Told;
}

function run(flags: readonly string[], command: readonly string[] = ['python3', program]): RunningMaster {
  const own = ['--name', 'app', '--log-level', 'debug', '--log-format', 'json', '--probation', '0s'];
  return runMaster({
    hasOwnFlags: false,
    name: 'app',
    flags: [...own, '--startsecs', '0s', ...flags],
    command,
  });
}

const none = { ipv6Only: null, freebind: 0, fastOpen: 0, deferAccept: 0 };

test('without an option, a socket has none', async () => {
  const master = run(['--listen', '127.0.0.1:0']);
  const told = await ask(await master.serving());
  expect(told.listeners).toMatchObject([{ ...none, backlog: 4096 }]);
  expect(told.listeners[0]?.keepAlive[0]).toBe(0);
});

test('every option of the command line is that of the socket, and of the connections', async () => {
  const master = run([
    ...['--listen', '127.0.0.1:0', '--backlog', '77', '--tcp-fast-open', '16', '--defer-accept', '5s'],
    ...['--keepalive', '61s:11s:7', '--freebind'],
  ]);
  const told = await ask(await master.serving());
  expect(told.listeners).toMatchObject([
    { backlog: 77, freebind: 1, fastOpen: 16, keepAlive: [1, 61, 11, 7] },
  ]);
  // The kernel counts retransmissions: 1 s, 3 s, 7 s, 15 s …
  expect(told.listeners[0]?.deferAccept).toBe(7);
  expect(told.accepted).toEqual([1, 61]);
});

test('keepalive on is what the machine says', async () => {
  const master = run(['--listen', '127.0.0.1:0', '--keepalive', 'on']);
  const [told] = (await ask(await master.serving())).listeners;
  expect(told?.keepAlive[0]).toBe(1);
});

test('the addresses of a host name have the options, too', async () => {
  const master = run(['--listen', 'localhost:0', '--tcp-fast-open', '5']);
  const told = await ask(await master.serving());
  expect(told.listeners).toMatchObject([
    { at: '127.0.0.1', fastOpen: 5 },
    { at: '::1', fastOpen: 5 },
  ]);
});

test('so have the sockets of all workers with --reuse-port', async () => {
  const master = run([
    ...['--listen', '127.0.0.1:0', '--reuse-port', '--workers', '2'],
    ...['--tcp-fast-open', '5', '--keepalive', '61s', '--freebind'],
  ]);
  const port = await master.serving();
  const pids = new Set<number>();
  while (pids.size < 2) {
    const { pid, listeners } = await ask(port);
    pids.add(pid);
    expect(listeners).toMatchObject([{ fastOpen: 5, freebind: 1 }]);
    expect(listeners[0]?.keepAlive.slice(0, 2)).toEqual([1, 61]);
  }
});

test('so has the address that the first generation asks for', async () => {
  const master = run(['--port', '0', '--tcp-fast-open', '5'], app('tells-fast-open'));
  const told = (await get(await master.serving())).body;
  expect(told).toBe('127.0.0.1 5\n');
});

test('with ipv6_only, IPv4 and IPv6 may have a socket each', async () => {
  const port = await freePort();
  const flags = ['--listen', `0.0.0.0:${port}`, '--listen', `[::]:${port}`];
  const master = run([...flags, '--ipv6-only']);
  await master.waitFor('generationReady', { generation: 1 });
  expect((await ask(port)).listeners).toMatchObject([
    { at: '0.0.0.0', ipv6Only: null },
    { at: '::', ipv6Only: 1 },
  ]);
  const without = runMaster({ hasOwnFlags: false, flags: ['--name', 'other', ...flags] });
  expect(await without.exited).toMatchObject({ code: 2 });
});

test('with freebind, an address that the machine does not have is listened on', async () => {
  const port = await freePort();
  const flags = ['--listen', `127.0.0.1:${port}`, '--listen', `192.0.2.1:${port}`];
  const master = run([...flags, '--freebind']);
  await master.waitFor('generationReady', { generation: 1 });
  expect((await ask(port)).listeners).toMatchObject([{}, { at: '192.0.2.1', freebind: 1 }]);
  master.signal('SIGTERM');
  await master.exited;
  expect(await runCheck([...flags, '--freebind', '--', ...app('serves')])).toMatchObject({ code: 0 });
  expect(await runCheck([...flags, '--', ...app('serves')])).toMatchObject({ code: 2 });
});

test.each([
  ['--ipv6-only', []],
  ['--freebind', []],
  ['--tcp-fast-open', ['5']],
  ['--defer-accept', ['5s']],
  ['--keepalive', ['on']],
])('%s is refused where there is no such listener', async (flag, value) => {
  const path = join(temporaryFolder(), 'app.sock');
  const master = runMaster({ hasOwnFlags: false, flags: ['--listen', `unix:${path}`, flag, ...value] });
  expect(await master.exited).toMatchObject({ code: 2 });
  expect(master.output).toMatch(new RegExp(`${flag} needs an? (TCP|IPv6) .*this program has none`));
});

test.each([
  ['--defer-accept', '1500ms'],
  ['--keepalive', '60s:0s'],
  ['--keepalive', '60s:5s:200'],
  ['--tcp-fast-open', '0'],
])('%s %s is refused', async (flag, value) => {
  const master = runMaster({ hasOwnFlags: false, flags: ['--port', '0', flag, value] });
  expect(await master.exited).toMatchObject({ code: 2 });
});

test('an option that the kernel refuses is an error that names it', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const opener = `
import os, socket, sys
one = socket.socket(socket.AF_UNIX); one.bind(sys.argv[1]); one.listen(5)
os.dup2(one.fileno(), 9)
os.execvp(sys.argv[2], sys.argv[2:])`;
  const master = runMaster({
    through: ['python3', '-c', opener, path],
    hasOwnFlags: false,
    flags: ['--name', 'app', '--listen', 'fd:9', '--tcp-fast-open', '5'],
  });
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain('the system refuses tcp_fast_open');
});

test('an update changes the options of a socket that stays, and one that it cannot have is bound anew', async () => {
  const port = await freePort();
  const folder = temporaryFolder();
  const write = (keys: string, listen = `"[::]:${port}"`): void => {
    writeFileSync(
      join(folder, 'graceful.toml'),
      `[master]\nname = "app"\n[program.shop]\ncommand = ["python3", "${program}"]
listen = [${listen}]\nstartsecs = 0\nprobation = "0s"\n${keys}`,
    );
  };
  write('backlog = 50');
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', 'graceful.toml', '--log-format', 'json'],
    command: [],
    cwd: folder,
    name: 'app',
  });
  await master.waitFor('generationReady', { generation: 1 });
  const env = { XDG_RUNTIME_DIR: master.runtime };
  expect((await ask(port)).listeners).toMatchObject([{ backlog: 50, ipv6Only: 0 }]);

  write('backlog = 60\ntcp_fast_open = 9\ndefer_accept = "1s"\nkeepalive = "30s"\nfreebind = true');
  const planned = await gracefulctl(['update', '--dry-run', '--json'], env);
  expect(JSON.parse(planned.out)).toMatchObject({
    result: {
      difference: {
        changed: [
          {
            program: 'shop',
            keys: ['backlog', 'tcp_fast_open', 'defer_accept', 'keepalive', 'freebind'],
            needs: 'reload',
          },
        ],
      },
    },
  });
  expect(await gracefulctl(['update'], env)).toMatchObject({ code: 0 });
  const changed = (await ask(port)).listeners;
  expect(changed).toMatchObject([{ backlog: 60, fastOpen: 9, deferAccept: 1 }]);
  expect(changed[0]?.keepAlive.slice(0, 2)).toEqual([1, 30]);

  write('');
  expect(await gracefulctl(['update'], env)).toMatchObject({ code: 0 });
  const [back] = (await ask(port)).listeners;
  expect(back).toMatchObject({ backlog: 4096, fastOpen: 0, deferAccept: 0 });
  expect(back?.keepAlive[0]).toBe(0);

  write('ipv6_only = true', `"0.0.0.0:${port}", "[::]:${port}"`);
  const restart = await gracefulctl(['update', '--dry-run', '--json'], env);
  expect(JSON.parse(restart.out)).toMatchObject({
    result: { difference: { changed: [{ needs: 'restart' }] } },
  });
  expect(await gracefulctl(['update'], env)).toMatchObject({ code: 0 });
  expect((await ask(port)).listeners).toMatchObject([{ at: '0.0.0.0' }, { at: '::', ipv6Only: 1 }]);

  // Those of [defaults] are for the programs that can have them.
  const path = join(folder, 'app.sock');
  const wrong = `[program.mail]\ncommand = ["python3", "${program}"]\nlisten = ["unix:${path}"]\n`;
  write(`ipv6_only = true\n${wrong}defer_accept = "1s"\n`);
  const refused = await gracefulctl(['update'], env);
  expect(refused.err).toContain('program.mail.defer_accept');
  write(`ipv6_only = true\n${wrong}[defaults]\ndefer_accept = "1s"\n`);
  expect(await gracefulctl(['update', '--dry-run'], env)).toMatchObject({ code: 0 });
});
