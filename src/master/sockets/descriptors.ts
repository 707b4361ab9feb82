/**
 * Descriptors that graceful-run is started with and that its plan names: `fd:3`. What such a socket is, and its address, is read from the
 * socket itself.
 */
import { fstatSync, readdirSync, readlinkSync } from 'node:fs';
import { GracefulRunError, systemCode } from '../../shared/errors.ts';
import type { SocketAddress } from '../../shared/format-address.ts';
import type { SocketFacts } from '../system-calls/read-socket.ts';
import { readSockaddr } from './sockaddr.ts';

/** The inodes of sockets by their descriptors. */
export type OpenSockets = ReadonlyMap<number, number>;

/** The sockets that this process has open. A master calls this before it opens sockets of its own. */
export function openSockets(): OpenSockets {
  return new Map(
    descriptors().flatMap((fd) => {
      const inode = socketInode(fd);
      return inode === null ? [] : [[fd, inode] as const];
    }),
  );
}

/** What is known of a descriptor. `problem`: why it cannot be listened on, or null if it can. */
export interface Descriptor {
  /** The address of the socket. Null if it is no socket that was open at the start, or has no address. */
  readonly address: SocketAddress | null;
  readonly problem: string | null;
}

/** The address of a socket that can be listened on. `open`: the sockets that were open at the start. Errors: `addressUnusable`. */
export async function addressOfDescriptor(fd: number, open: OpenSockets): Promise<SocketAddress> {
  const { address, problem } = await readDescriptor(fd, open);
  if (problem !== null || address === null) throw unusable(fd, problem ?? `descriptor ${fd} has no address`);
  return address;
}

/** Reads what a descriptor is. `open`: the sockets that were open at the start. */
export async function readDescriptor(fd: number, open: OpenSockets): Promise<Descriptor> {
  const inode = socketInode(fd);
  if (inode === null) return { address: null, problem: whatIsThere(fd) };
  if (open.get(fd) !== inode) return { address: null, problem: notGiven(fd) };
  const { readSocket } = await import('../system-calls/read-socket.ts');
  const facts = await readSocket(fd);
  if (typeof facts === 'string')
    return { address: null, problem: `descriptor ${fd} cannot be read: ${facts}` };
  const found = readSockaddr(facts.family, facts.address);
  const address =
    found?.type === 'tcp' && facts.type === 'datagram' ? { ...found, type: 'udp' as const } : found;
  return { address, problem: problemWith(fd, facts, address) };
}

/** The descriptors of the sockets that have one of these inodes, and that are still the same as at the start, the lowest first. */
export function descriptorsOf(open: OpenSockets, inodes: readonly string[]): readonly number[] {
  return [...open]
    .filter(([fd, inode]) => inodes.includes(String(inode)) && socketInode(fd) === inode)
    .map(([fd]) => fd)
    .sort((one, other) => one - other);
}

function problemWith(fd: number, facts: SocketFacts, address: SocketAddress | null): string | null {
  if (facts.type === 'datagram' && facts.family === 'unix')
    return `descriptor ${fd} is a UNIX socket for datagrams`;
  if (facts.type === 'other' || facts.family === 'other')
    return `descriptor ${fd} is a socket of neither TCP, UDP nor UNIX`;
  if (facts.isConnected) return `descriptor ${fd} is a connected socket, not one to listen on`;
  return address === null ? `descriptor ${fd} is a socket that is bound to no address` : null;
}

function whatIsThere(fd: number): string {
  try {
    const stats = fstatSync(fd);
    if (isOfNode(fd)) return notGiven(fd);
    const kind = stats.isFIFO()
      ? 'a pipe'
      : stats.isFile()
        ? 'a file'
        : stats.isDirectory()
          ? 'a folder'
          : null;
    return kind === null ? `descriptor ${fd} is not a socket` : `descriptor ${fd} is ${kind}, not a socket`;
  } catch (error) {
    return systemCode(error) === 'EBADF' ? `descriptor ${fd} is not open` : `descriptor ${fd} cannot be read`;
  }
}

function notGiven(fd: number): string {
  return `graceful-run was not started with a socket at descriptor ${fd}`;
}

/** Whether the descriptor is one that Node.js opens for itself, such as that of epoll. */
function isOfNode(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('anon_inode:');
  } catch {
    return false;
  }
}

function unusable(fd: number, reason: string): GracefulRunError {
  return new GracefulRunError('addressUnusable', `cannot listen on fd:${fd}: ${reason}`, {
    hint: 'let what starts graceful-run bind the socket and keep the descriptor open, or let graceful-run bind the address itself',
  });
}

function descriptors(): readonly number[] {
  try {
    return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd')
      .map(Number)
      .filter((fd) => fd > 2);
  } catch {
    return [];
  }
}

function socketInode(fd: number): number | null {
  try {
    const stats = fstatSync(fd);
    return stats.isSocket() ? stats.ino : null;
  } catch {
    return null;
  }
}
