/**
 * TCP sockets with options that Node.js does not offer (tcp(7), ip(7), socket(7)). Loaded only if an option is set. Linux only.
 */
import { readFileSync } from 'node:fs';
import { GracefulRunError } from '../../shared/errors.ts';
import type { TcpOptions } from '../config/plan.ts';
import { closeDescriptor } from '../system-calls/descriptor-calls.ts';
import { bindSocket, openTcpSocket, setSocketOption } from '../system-calls/socket-calls.ts';
import { freebindOf, socketOptions, type SocketOption } from '../system-calls/socket-options.ts';
import { sockaddrOf } from './numeric-address.ts';

interface Setting {
  /** The name of the option in a config file. */
  readonly key: string;
  readonly option: SocketOption;
  readonly value: number;
}

/**
 * Makes a bound socket that does not listen yet. Returns its descriptor, or the name of the error. Errors: `addressUnusable`, if the kernel refuses an
 * option.
 */
export async function bindTcpSocket(
  host: string,
  port: number,
  options: TcpOptions,
): Promise<number | string> {
  const isIPv6 = host.includes(':');
  const fd = await openTcpSocket(isIPv6);
  if (typeof fd === 'string') return fd;
  try {
    await set(fd, [...beforeBind(isIPv6, options), ...settingsOf(options)]);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
  const problem = bindSocket(fd, sockaddrOf(host, port));
  if (problem === null) return fd;
  closeDescriptor(fd);
  return problem;
}

/**
 * Sets the options that a listening socket can still get. An option that is not asked for gets the kernel's own value, as all do if `options` is
 * undefined. Errors: `addressUnusable`, if the kernel refuses one.
 */
export async function applyTcpOptions(fd: number, options: TcpOptions | undefined): Promise<void> {
  await set(fd, settingsOf(options ?? null));
}

function beforeBind(isIPv6: boolean, { ipv6Only, freebind }: TcpOptions): readonly Setting[] {
  return [
    { key: 'reuse_address', option: socketOptions.reuseAddress, value: 1 },
    ...(isIPv6 ? [{ key: 'ipv6_only', option: socketOptions.ipv6Only, value: Number(ipv6Only) }] : []),
    ...(freebind ? [{ key: 'freebind', option: freebindOf(isIPv6), value: 1 }] : []),
  ];
}

function settingsOf(options: TcpOptions | null): readonly Setting[] {
  const { fastOpen = null, deferAcceptSeconds = null, keepAlive = null } = options ?? {};
  const { tcpFastOpen, tcpDeferAccept, tcpKeepIdle, tcpKeepInterval, tcpKeepCount } = socketOptions;
  const key = 'keepalive';
  return [
    { key: 'tcp_fast_open', option: tcpFastOpen, value: fastOpen ?? 0 },
    { key: 'defer_accept', option: tcpDeferAccept, value: deferAcceptSeconds ?? 0 },
    { key, option: socketOptions.keepAlive, value: Number(keepAlive !== null) },
    ...(keepAlive === null
      ? []
      : [
          { key, option: tcpKeepIdle, value: keepAlive.idleSeconds ?? ofMachine('time', 7_200) },
          { key, option: tcpKeepInterval, value: keepAlive.intervalSeconds ?? ofMachine('intvl', 75) },
          { key, option: tcpKeepCount, value: keepAlive.count ?? ofMachine('probes', 9) },
        ]),
  ];
}

/** The kernel's own value for keep-alive, which has to be set because the socket may have had another one before. */
function ofMachine(name: 'time' | 'intvl' | 'probes', otherwise: number): number {
  try {
    return Number(readFileSync(`/proc/sys/net/ipv4/tcp_keepalive_${name}`, 'utf8')) || otherwise;
  } catch {
    return otherwise;
  }
}

async function set(fd: number, settings: readonly Setting[]): Promise<void> {
  for (const { key, option, value } of settings) {
    const problem = process.platform === 'linux' ? await setSocketOption(fd, option, value) : 'ENOPROTOOPT';
    if (problem !== null)
      throw new GracefulRunError('addressUnusable', `cannot listen: the system refuses ${key}: ${problem}`, {
        hint: `leave out ${key} (--${key.replaceAll('_', '-')})`,
      });
  }
}
