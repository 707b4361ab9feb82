import { expect, test } from 'vitest';
import { announcedSockets } from '../../../../src/master/sockets/announced-sockets.ts';
import { readTcpAddress } from '../../../../src/master/sockets/tcp-table.ts';

const pid = 4242;

test.each([
  [
    'two, one with a name',
    { LISTEN_PID: '4242', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:unknown' },
    [
      { fd: 3, name: 'web' },
      { fd: 4, name: null },
    ],
  ],
  ['without names', { LISTEN_PID: '4242', LISTEN_FDS: '1' }, [{ fd: 3, name: null }]],
  ['those of another process', { LISTEN_PID: '1', LISTEN_FDS: '1' }, []],
  ['no number', { LISTEN_PID: '4242', LISTEN_FDS: 'x' }, []],
  ['too many', { LISTEN_PID: '4242', LISTEN_FDS: '100000' }, []],
  [
    'Server::Starter',
    { SERVER_STARTER_PORT: '127.0.0.1:8000=3;[::1]:8001=4;8002=5;/run/a.sock=6' },
    [3, 4, 5, 6].map((fd) => ({ fd, name: null })),
  ],
  ['nonsense', { SERVER_STARTER_PORT: 'x;=;3=' }, []],
  ['nothing', {}, []],
])('announced: %s', (_what, environment, sockets) => {
  expect(announcedSockets(environment, pid)).toEqual(sockets);
});

test.each([
  ['0100007F:1F90', '127.0.0.1', 8080],
  ['00000000:0050', '0.0.0.0', 80],
  ['00000000000000000000000000000000:0050', '::', 80],
  ['00000000000000000000000001000000:01BB', '::1', 443],
  ['B80D01200000000067452301EFCDAB89:0001', '2001:db8::123:4567:89ab:cdef', 1],
])('%s is %s', (text, host, port) => {
  expect(readTcpAddress(text)).toEqual({ type: 'tcp', host, port });
});

test('what is no address is none', () => {
  expect(readTcpAddress('local_address')).toBe(null);
});
