/**
 * TCP sockets with options that Node.js does not offer (tcp(7), ip(7), socket(7)). Loaded only where an option is asked for. Linux only.
 */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { GracefulRunError } from '../../shared/errors.ts';
import type { TcpOptions } from '../config/plan.ts';
import { bindSocket, closeDescriptor, openTcpSocket, setSocketOption } from '../system-calls/syscalls.ts';
import { writeSockaddr } from './sockaddr.ts';

const level = { ip: 0, socket: 1, tcp: 6, ipv6: 41 } as const;

// Of Linux, on every architecture but MIPS, Alpha, PA-RISC and SPARC.
const soReuseAddress = 2;
const soKeepAlive = 9;
const ipFreebind = 15;
const ipv6Only = 26;
const ipv6Freebind = 78;
const tcpKeepIdle = 4;
const tcpKeepInterval = 5;
const tcpKeepCount = 6;
const tcpDeferAccept = 9;
const tcpFastOpen = 23;

interface Setting {
  /** As a config file names it. */
  readonly key: string;
  readonly level: number;
  readonly name: number;
  readonly value: number;
}

/**
 * A bound socket that does not listen yet: its descriptor, or the name of the error. Errors: `addressUnusable`, if the kernel refuses an
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
  const problem = bindSocket(fd, writeSockaddr(host, port, scopeOf(host)));
  if (problem === null) return fd;
  closeDescriptor(fd);
  return problem;
}

/**
 * Sets the options that a listening socket can still get. Undefined, and what is not asked for: as the kernel has it by itself. Errors:
 * `addressUnusable`, if the kernel refuses one.
 */
export async function applyTcpOptions(fd: number, options: TcpOptions | undefined): Promise<void> {
  await set(fd, settingsOf(options ?? null));
}

function beforeBind(isIPv6: boolean, options: TcpOptions): readonly Setting[] {
  return [
    { key: 'reuse_address', level: level.socket, name: soReuseAddress, value: 1 },
    ...(isIPv6
      ? [{ key: 'ipv6_only', level: level.ipv6, name: ipv6Only, value: Number(options.ipv6Only) }]
      : []),
    ...(options.freebind
      ? [
          {
            key: 'freebind',
            level: isIPv6 ? level.ipv6 : level.ip,
            name: isIPv6 ? ipv6Freebind : ipFreebind,
            value: 1,
          },
        ]
      : []),
  ];
}

function settingsOf(options: TcpOptions | null): readonly Setting[] {
  const { fastOpen = null, deferAcceptSeconds = null, keepAlive = null } = options ?? {};
  const key = 'keepalive';
  return [
    { key: 'tcp_fast_open', level: level.tcp, name: tcpFastOpen, value: fastOpen ?? 0 },
    { key: 'defer_accept', level: level.tcp, name: tcpDeferAccept, value: deferAcceptSeconds ?? 0 },
    { key, level: level.socket, name: soKeepAlive, value: Number(keepAlive !== null) },
    ...(keepAlive === null
      ? []
      : [
          {
            key,
            level: level.tcp,
            name: tcpKeepIdle,
            value: keepAlive.idleSeconds ?? ofMachine('time', 7_200),
          },
          {
            key,
            level: level.tcp,
            name: tcpKeepInterval,
            value: keepAlive.intervalSeconds ?? ofMachine('intvl', 75),
          },
          { key, level: level.tcp, name: tcpKeepCount, value: keepAlive.count ?? ofMachine('probes', 9) },
        ]),
  ];
}

/** The socket may have had another value before. */
function ofMachine(name: 'time' | 'intvl' | 'probes', otherwise: number): number {
  try {
    return Number(readFileSync(`/proc/sys/net/ipv4/tcp_keepalive_${name}`, 'utf8')) || otherwise;
  } catch {
    return otherwise;
  }
}

async function set(fd: number, settings: readonly Setting[]): Promise<void> {
  for (const { key, level: at, name, value } of settings) {
    const problem = process.platform === 'linux' ? await setSocketOption(fd, at, name, value) : 'ENOPROTOOPT';
    if (problem !== null)
      throw new GracefulRunError('addressUnusable', `cannot listen: the system refuses ${key}: ${problem}`, {
        hint: `leave out ${key} (--${key.replaceAll('_', '-')})`,
      });
  }
}

/** The number of the interface that is the zone of a link-local address: `fe80::1%eth0`. */
function scopeOf(host: string): number {
  const [, zone] = host.split('%');
  if (zone === undefined) return 0;
  const known = networkInterfaces()[zone]?.find(({ family }) => family === 'IPv6');
  return known?.family === 'IPv6' ? known.scopeid : Number(zone) || 0;
}
