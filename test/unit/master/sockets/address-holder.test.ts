import { spawn } from 'node:child_process';
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

const tcp = (port: number): BindablePlan => ({ type: 'tcp', name: 'web', host: null, port, backlog: 1 });

test('finds the sockets that listen on a port, not the ones that are connected', () => {
  expect(listeningInodes(table, 10086)).toEqual(['111']);
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
