/** Finds the processes that listen on a port or hold a socket, as far as /proc shows them. Linux only; elsewhere none is found. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { isIP } from 'node:net';
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { canonicalHost } from '../config/canonical-host.ts';
import type { BindablePlan } from '../config/plan.ts';
import { processNumbers, readProcessStat } from '../../shared/process-stat.ts';
import { readTcpAddress } from './tcp-table.ts';

export interface AddressHolder {
  readonly pid: number;
  /** The command line of the process, shortened. */
  readonly command: string;
}

/** Says which process holds the address: `by pid 4242 (node server.js)`. Null: none was found. */
export function describeHolder(holder: AddressHolder | null): string {
  return holder === null
    ? 'by a process that this user cannot see'
    : `by pid ${holder.pid} (${holder.command})`;
}

/** A hint with a command that finds a holder which this user cannot see. */
export function unseenHolderHint(listener: BindablePlan): string {
  if (listener.type === 'unix') return `to find it, run as root: ss -lxp src ${listener.path}`;
  return `to find it, run as root: ss ${listener.type === 'udp' ? '-uanp' : '-ltnp'} 'sport = :${listener.port}'`;
}

const listenState = '0A';

/** For each protocol, its tables in /proc and the state of the sockets that hold the whole port; null if all of them do. */
const tables = {
  tcp: { paths: ['/proc/net/tcp', '/proc/net/tcp6'], state: listenState },
  udp: { paths: ['/proc/net/udp', '/proc/net/udp6'], state: null },
} as const;

/**
 * The processes that listen on the TCP address, have the UDP address, or listen at the path. The oldest comes first: a master before its workers, which it
 * would only replace if they were killed. Only root sees processes of other users.
 */
export function findAddressHolders(listener: BindablePlan): readonly AddressHolder[] {
  return findHolders(inodesAt(listener));
}

/** The processes that hold one of these sockets, the oldest first. */
export function findHolders(inodes: readonly string[]): readonly AddressHolder[] {
  if (inodes.length === 0) return [];
  return processNumbers()
    .filter((pid) => holdsSocket(pid, inodes))
    .map((pid) => ({ pid, startedAt: readProcessStat(pid)?.startedAt ?? Infinity }))
    .sort((one, other) => one.startedAt - other.startedAt)
    .map(({ pid }) => describe(pid));
}

/** The inodes of the sockets that keep the address from being bound. */
export function inodesAt(listener: BindablePlan): readonly string[] {
  if (listener.type === 'unix') return listeningInodesAt(readText('/proc/net/unix'), listener.path);
  const { paths, state } = tables[listener.type];
  return paths.flatMap((path) =>
    listeningInodes(state === null ? readText(path) : readListening(path), listener, state),
  );
}

/** Whether some process listens at the path, or at the abstract name. */
export function isListenedOn(path: string): boolean {
  return listeningInodesAt(readText('/proc/net/unix'), path).length > 0;
}

/** Whether the process has a descriptor of one of these sockets. */
export function holdsSocket(pid: number, inodes: readonly (string | number)[]): boolean {
  const held = new Set(socketsOf(pid));
  return inodes.some((inode) => held.has(String(inode)));
}

/** The inodes of the sockets of which the process has a descriptor. */
export function socketsOf(pid: number): readonly string[] {
  return list(`/proc/${pid}/fd`).flatMap(
    (fd) => /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1] ?? [],
  );
}

function describe(pid: number): AddressHolder {
  const command = readProcessArguments(pid).join(' ').trim();
  return { pid, command: command.length > 60 ? `${command.slice(0, 57)}...` : command };
}

/**
 * The inodes of the sockets that keep the address from being bound, in the text of /proc/net/tcp (proc(5)). `wanted`: the state of these sockets; null for
 * any.
 */
export function listeningInodes(
  table: string,
  { host, port }: { readonly host: string | null; readonly port: number },
  wanted: string | null = listenState,
): readonly string[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      if (inode === undefined || (wanted !== null && state !== wanted)) return [];
      const address = readTcpAddress(local);
      if (address === null) return [];
      return address.port === port && excludes(address.host, host) ? [inode] : [];
    });
}

/** Whether a socket on `bound` keeps `wanted` from being bound at the same port. Null and host names may be any address. */
function excludes(bound: string, wanted: string | null): boolean {
  if (wanted === null || isIP(wanted) === 0) return true;
  if (wanted === '::' || bound === '::') return true; // Perhaps for IPv4 as well.
  const [one, other] = [withoutZone(bound), withoutZone(wanted)];
  if (isIP(one) !== isIP(other)) return false;
  return one === '0.0.0.0' || other === '0.0.0.0' || one === other;
}

/** The address without its zone, because the table has none. */
function withoutZone(host: string): string {
  const [plain = host] = host.split('%');
  return canonicalHost(plain);
}

/** Flag of a listening socket in /proc/net/unix: __SO_ACCEPTCON. */
const acceptsConnections = 0x1_0000;

/** The socket inodes that listen at `path` in the text of /proc/net/unix (proc(5)). */
export function listeningInodesAt(table: string, path: string): readonly string[] {
  return table.split('\n').flatMap((line) => {
    const [, flags = '', inode, at] = /^\S+ \S+ \S+ ([\dA-F]+) \S+ \S+ +(\d+) (.+)$/.exec(line) ?? [];
    if (inode === undefined || at !== path) return [];
    return (Number.parseInt(flags, 16) & acceptsConnections) === 0 ? [] : [inode];
  });
}

/** The names in a folder of /proc; none if it cannot be read. */
export function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // It has ended meanwhile, or belongs to another user.
  }
}

/** The text of a file of /proc; empty if it does not exist or cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A line of /proc/net/tcp for a socket that does not listen. */
const otherState = /^ *\d+: \S+ \S+ (?!0A)[\dA-F]{2} /m;

/**
 * The lines of listening sockets in a table of /proc/net, and some more. The kernel writes them first (tcp_seq_start() in net/ipv4/tcp_ipv4.c), and the
 * rest is not read: a busy server leaves tens of thousands of sockets in the state TIME_WAIT.
 */
function readListening(path: string): string {
  let fd: number | null = null;
  let text = '';
  try {
    fd = openSync(path, 'r');
    const chunk = Buffer.alloc(16_384);
    for (;;) {
      const length = readSync(fd, chunk);
      if (length === 0) return text;
      const more = chunk.toString('latin1', 0, length);
      text += more;
      if (otherState.test(more)) return text;
    }
  } catch {
    return text;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
