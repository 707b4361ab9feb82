/**
 * Copies the listening sockets of a dead master out of its workers, by pidfd_getfd(2). The workers do not take part in this, so it works in any
 * language. No process has to keep the sockets beside the master.
 */
import { fstatSync, lstatSync, readlinkSync } from 'node:fs';
import type { SocketAddress } from '../../shared/format-address.ts';
import { stillRuns } from '../../shared/process-stat.ts';
import { canonicalHost } from '../config/canonical-host.ts';
import type { BindablePlan } from '../config/plan.ts';
import type { OrphanedWorker } from '../process/orphaned-worker.ts';
import { inodesAt, list } from '../sockets/address-holder.ts';
import { furtherName, isHostName } from '../sockets/host-names.ts';
import { holdListener, type BoundListener } from '../sockets/listener.ts';
import { handleOfServed } from '../sockets/server-handle.ts';
import { readSockaddr } from '../sockets/sockaddr.ts';
import { removeOwn } from '../sockets/unix-listener.ts';
import { closeDescriptor } from '../system-calls/descriptor-calls.ts';
import { openProcess, takeDescriptor } from '../system-calls/pidfd-calls.ts';
import { readSocket, type SocketFacts } from '../system-calls/read-socket.ts';

/** Why listeners of several sockets, and UDP sockets, are not taken over. */
const severalSockets = 'it is not the only one, or a UDP socket';

interface Taken {
  readonly fd: number;
  readonly address: SocketAddress;
}

/**
 * Copies the sockets of the address `wanted` out of these workers, and holds them as its listeners. `canShare`: whether two generations can accept from one
 * socket. `isServedElsewhere`: whether the workers still run. `closed`: called when a listener is closed. If that cannot be done, returns the reason, as a text.
 */
export async function takeListeners(
  orphans: readonly OrphanedWorker[],
  wanted: BindablePlan,
  canShare: boolean,
  held: { readonly isServedElsewhere: () => boolean; readonly closed: () => void },
): Promise<readonly BoundListener[] | string> {
  if (!canBeTaken(wanted, canShare)) return severalSockets;
  const taken = await takeFrom(orphans, wanted);
  return typeof taken === 'string' ? taken : hold(taken, wanted, held);
}

/** The addresses of a host name, and the queues of `reuse_port`, are several sockets; a UDP socket has no queue that two generations could share. */
function canBeTaken(wanted: BindablePlan, canShare: boolean): boolean {
  if (wanted.type === 'unix') return true;
  return canShare && wanted.type === 'tcp' && (wanted.host === null || !isHostName(wanted.host));
}

/** Copies the sockets of the address out of the workers; or says why that cannot be done. */
async function takeFrom(
  orphans: readonly OrphanedWorker[],
  wanted: BindablePlan,
): Promise<readonly Taken[] | string> {
  const taken: Taken[] = [];
  const giveUp = (reason: string): string => {
    for (const { fd } of taken) closeDescriptor(fd);
    return reason;
  };
  for (const inode of inodesAt(wanted)) {
    const fd = await copyOf(inode, orphans);
    if (typeof fd === 'string') return giveUp(fd);
    const facts = await readSocket(fd);
    const address = typeof facts === 'string' ? null : readSockaddr(facts.family, facts.address);
    if (address === null) {
      closeDescriptor(fd);
      return giveUp('its address cannot be read');
    }
    taken.push({ fd, address });
    // The inode of a socket belongs to the user who made the socket. So a process of another user cannot offer one to this master.
    if (fstatSync(fd).uid !== process.geteuid?.()) return giveUp('it belongs to another user');
    if (typeof facts !== 'string' && !isMeant(wanted, address, facts))
      return giveUp('it has another address');
  }
  const addresses = taken.map(({ address }) => JSON.stringify(address));
  // Several sockets of one address are the queues of reuse_port.
  if (taken.length === 0) return giveUp('it is closed');
  if (new Set(addresses).size < taken.length) return giveUp(severalSockets);
  return taken;
}

function isMeant(
  wanted: BindablePlan,
  address: SocketAddress,
  { isIPv6Only }: Pick<SocketFacts, 'isIPv6Only'>,
): boolean {
  if (wanted.type !== address.type) return false;
  if (wanted.type === 'unix') return address.type === 'unix' && address.path === wanted.path;
  if (address.type === 'unix' || address.port !== wanted.port) return false;
  if (wanted.host === null) return true;
  if (canonicalHost(wanted.host) !== canonicalHost(address.host)) return false;
  // Only the option says whether `::` stands for the IPv4 addresses, too.
  const asksFor = wanted.type === 'tcp' && wanted.options?.ipv6Only === true;
  return canonicalHost(wanted.host) !== '::' || asksFor === isIPv6Only;
}

/** A copy of the socket, or why there is none. */
async function copyOf(inode: string, orphans: readonly OrphanedWorker[]): Promise<number | string> {
  let problem = 'no worker has it any more';
  for (const { process: orphan } of orphans) {
    const opened = await openProcess(orphan.pid);
    if (opened === null) continue;
    try {
      // The pid may be that of another process by now.
      if (!stillRuns(orphan)) continue;
      for (const name of list(`/proc/${orphan.pid}/fd`)) {
        if (linkOf(orphan.pid, name) !== `socket:[${inode}]`) continue;
        const fd = takeDescriptor(opened, Number(name));
        if (typeof fd === 'string') {
          problem = fd === 'EPERM' ? 'this user may not look into its workers (EPERM)' : fd;
          continue;
        }
        if (String(fstatSync(fd).ino) === inode) return fd;
        closeDescriptor(fd);
      }
    } finally {
      closeDescriptor(opened);
    }
  }
  return problem;
}

/** Holds the sockets as listeners of the plan. A text: why that cannot be done. `closed`: called when one of them is closed. */
function hold(
  taken: readonly Taken[],
  wanted: BindablePlan,
  { isServedElsewhere, closed }: { readonly isServedElsewhere: () => boolean; readonly closed: () => void },
): readonly BoundListener[] | string {
  const handles = taken.map(({ fd }) => handleOfServed(fd));
  const problem = handles.find((handle) => typeof handle === 'string');
  if (problem !== undefined) {
    for (const [at, { fd }] of taken.entries()) {
      const handle = handles[at];
      if (typeof handle === 'object') handle.close();
      else closeDescriptor(fd);
    }
    return problem;
  }
  // If the operator has named no address, the listeners are those that the old program had asked for.
  const isOpenToAll = wanted.type === 'tcp' && wanted.host === null;
  return taken.flatMap(({ fd, address }, at) => {
    const handle = handles[at];
    if (typeof handle !== 'object') return [];
    const isWide = address.type === 'tcp' && (address.host === '::' || address.host === '0.0.0.0');
    const file = address.type === 'unix' ? fileOf(address.path) : null;
    return holdListener(
      {
        name: at === 0 ? wanted.name : furtherName(wanted.name, at + 1),
        address,
        backlog: wanted.backlog,
        fd,
        handle,
        // Another address that the new program asks for is not bound beside it: clients would be taken from the workers that serve it.
        isUndecided: false,
        standsFor: isOpenToAll && !(isWide && taken.length === 1) ? wanted.name : null,
        isServedElsewhere,
        ...(file === null ? {} : { file }),
      },
      () => {
        closed();
        if (file !== null && address.type === 'unix' && !isServedElsewhere()) removeOwn(address.path, file);
      },
    );
  });
}

function fileOf(path: string): number | null {
  return path.startsWith('@') ? null : (lstatSync(path, { throwIfNoEntry: false })?.ino ?? null);
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}
