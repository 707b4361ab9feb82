import { describe, expect, it } from 'vitest';
import { readListenCall } from '../../../../src/worker/listen/listen-call.ts';

const callback = (): void => undefined;
const tcp = (port: number, host: string | null = null, isIPv6Only = false): object => ({
  kind: 'tcp',
  host,
  port,
  isIPv6Only,
});
const other = { kind: 'other' };

describe('a call of listen()', () => {
  it.each<[string, readonly unknown[], object]>([
    ['a port', [80], tcp(80)],
    ['a port as text', ['80'], tcp(80)],
    ['a port and a callback', [80, callback], tcp(80)],
    ['a port and a host', [80, '127.0.0.1', 5, callback], tcp(80, '127.0.0.1')],
    ['a port and a backlog', [80, 5], tcp(80)],
    ['nothing', [], tcp(0)],
    ['a callback alone', [callback], tcp(0)],
    ['null', [null], tcp(0)],
    ['options', [{ port: '80', host: '::1', backlog: 5, exclusive: true }], tcp(80, '::1')],
    ['options for IPv6 alone', [{ port: 80, host: '::', ipv6Only: true }], tcp(80, '::', true)],
    ['options with an empty host', [{ port: 80, host: '' }], tcp(80)],
    ['options with an undefined port', [{ port: undefined }], tcp(0)],
    ['a path', ['/tmp/socket'], { kind: 'path', path: '/tmp/socket' }],
    ['a path in options', [{ path: '/tmp/socket' }], { kind: 'path', path: '/tmp/socket' }],
    ['a port before a path', [{ port: 80, path: '/tmp/socket' }], tcp(80)],
    ['a file descriptor', [{ fd: 3 }], { kind: 'fd', fd: 3 }],
    ['a file descriptor before a port', [{ fd: 3, port: 80 }], { kind: 'fd', fd: 3 }],
    ['a server', [{ _handle: {}, port: 80 }], other],
    ['a handle', [{ handle: {} }], other],
    ['a raw handle', [{ getsockname: callback, fd: 3 }], other],
    ['a port that is too large', [70_000], other],
    ['a negative port', [-1], other],
    ['a fraction', [1.5], other],
    ['a port of another type', [{ port: true }], other],
    // `hostname` means nothing to Node.js; the `host` of a URL has the port in it, and is looked up as a name.
    ['parts of a URL', [{ protocol: 'http:', hostname: '127.0.0.1', port: '80' }], tcp(80)],
    ['a URL', [new URL('http://127.0.0.1:81/')], tcp(81, '127.0.0.1:81')],
    ['a URL without a port', [new URL('http://127.0.0.1/')], other],
    ['an empty object', [{}], other],
    ['a signal that is none', [{ port: 80, signal: 'x' }], other],
  ])('is read in the form: %s', (_, args, target) => {
    expect(readListenCall(args).target).toEqual(target);
  });

  it('gives its callback and its signal', () => {
    const { signal } = new AbortController();
    const call = readListenCall([{ port: 80, signal }, callback]);
    expect(call.callback).toBe(callback);
    expect(call.signal).toBe(signal);
    expect(readListenCall([80, undefined, undefined]).callback).toBe(null);
  });
});
