import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { BindablePlan } from '../../../../src/master/config/plan.ts';
import {
  findAddressHolders,
  listeningInodes,
  listeningInodesAt,
} from '../../../../src/master/sockets/address-holder.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:2766 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 0100007F:2766 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
`;

const tcp = (port: number, host: string | null = null): BindablePlan => ({
  type: 'tcp',
  name: 'web',
  host,
  port,
  backlog: 1,
});

test('finds the sockets that listen on a port, not the ones that are connected', () => {
  expect(listeningInodes(table, { host: null, port: 10086 })).toEqual(['111']);
});

test('finds the process that listens', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(findAddressHolders(tcp(port)).map(({ pid }) => pid)).toEqual([process.pid]);
  server.close();
});

test('names the process that opened the socket before those that inherited it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const fd = Number(Reflect.get(Reflect.get(server, '_handle') as object, 'fd'));
  const heirs = [1, 2, 3].map(() => spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', fd] }));
  await Promise.all(heirs.map(async (heir) => once(heir, 'spawn')));
  const pids = findAddressHolders(tcp(port)).map(({ pid }) => pid);
  expect(pids[0]).toBe(process.pid);
  expect([...pids].sort()).toEqual([process.pid, ...heirs.map(({ pid }) => pid ?? 0)].sort());
  for (const heir of heirs) heir.kill('SIGKILL');
  await Promise.all(heirs.map(async (heir) => once(heir, 'exit')));
  server.close();
});

test('of two processes on one port, finds the one on the address that is wanted', async () => {
  const program = (host: string, port: number): string =>
    `require('net').createServer().listen(${port}, '${host}', function () { console.log(this.address().port) })`;
  const holders: ChildProcess[] = [];
  const hold = async (host: string, port: number): Promise<{ pid: number; port: number }> => {
    const child = spawn(process.execPath, ['-e', program(host, port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    holders.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { pid: child.pid ?? 0, port: Number(String(line)) };
  };
  try {
    const first = await hold('127.0.0.1', 0);
    const second = await hold('127.0.0.2', first.port);
    const pidsAt = (host: string | null): readonly number[] =>
      findAddressHolders(tcp(first.port, host)).map(({ pid }) => pid);
    expect(pidsAt('127.0.0.1')).toEqual([first.pid]);
    expect(pidsAt('127.0.0.2')).toEqual([second.pid]);
    expect(pidsAt('0.0.0.0')).toEqual([first.pid, second.pid]);
    expect(pidsAt('::')).toEqual([first.pid, second.pid]);
    expect(pidsAt('::1')).toEqual([]);
    expect(pidsAt(null)).toEqual([first.pid, second.pid]);
  } finally {
    for (const child of holders) child.kill('SIGKILL');
  }
});

test.each([
  ['0000000000000000FFFF00000100007F', '127.0.0.1', true],
  ['0000000000000000FFFF00000100007F', '127.0.0.2', false],
  ['00000000000000000000000001000000', '0:0::1', true],
  ['00000000000000000000000001000000', '::2', false],
  ['00000000000000000000000000000000', '127.0.0.1', true],
  ['00000000000000000000000001000000', 'localhost', true],
])('a socket on %s stands in the way of %s: %s', (local, host, isInTheWay) => {
  const tcp6 = `header\n 0: ${local}:2766 ${'0'.repeat(32)}:0000 0A 0:0 00:0 0 0 0 444 1 0`;
  expect(listeningInodes(tcp6, { host, port: 10086 })).toEqual(isInTheWay ? ['444'] : []);
});

test('finds the sockets that listen at a path, not the ones that are connected to it', () => {
  const unix = `Num       RefCount Protocol Flags    Type St Inode Path
00000000bbb: 00000002 00000000 00010000 0001 01 111 /run/app.sock
00000000ccc: 00000003 00000000 00000000 0001 03 222 /run/app.sock
00000000ddd: 00000002 00000000 00010000 0001 01   333 @abstract name
00000000eee: 00000003 00000000 00000000 0001 03 444
`;
  expect(listeningInodesAt(unix, '/run/app.sock')).toEqual(['111']);
  expect(listeningInodesAt(unix, '@abstract name')).toEqual(['333']);
  expect(listeningInodesAt(unix, '/run/other.sock')).toEqual([]);
});
