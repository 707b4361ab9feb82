/**
 * Sockets that graceful-run was started with, bound by what is above it. Those that systemd, systemd-socket-activate (sd_listen_fds(3)) or
 * Server::Starter announce are taken by a listener of the plan that has their name or their address, instead of binding it. Any other one is
 * taken by a listener that names its descriptor (`fd:3`). Such a socket outlives the master: its owner keeps it, and what queues there is served
 * by the next one.
 */
import { closeSync, fstatSync } from 'node:fs';
import { GracefulRunError } from '../../shared/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../../shared/format-address.ts';
import type { ListenerPlan } from '../config/plan.ts';
import { duplicate, keepFromChildren, listen, loadSystemCalls } from '../system-calls/syscalls.ts';
import { readText } from './address-holder.ts';
import type { AnnouncedSocket } from './announced-sockets.ts';
import { addressOfDescriptor, type OpenSockets } from './descriptors.ts';
import { furtherName } from './host-names.ts';
import { holdListener, type BoundListener } from './listener.ts';
import { handleOver, type ServerHandle } from './server-handle.ts';
import { readTcpAddress } from './tcp-table.ts';

export interface InheritedSocket {
  /** What the protocol calls it; null: nothing. */
  readonly name: string | null;
  readonly address: SocketAddress;
}

interface Found extends InheritedSocket {
  readonly fd: number;
  readonly isAnnounced: boolean;
}

export interface InheritedSockets {
  /** Those that are meant by the listener of the plan, until they are closed; empty: there is none. Errors: `addressUnusable`, for a descriptor. */
  take(wanted: ListenerPlan): Promise<readonly BoundListener[]>;
  /** Where the sockets are that `take` would give. Errors: as take(). */
  look(wanted: ListenerPlan): Promise<readonly InheritedSocket[]>;
  /** Those that are announced, and that no listener of the plan means. */
  strangers(plan: readonly ListenerPlan[]): readonly InheritedSocket[];
}

/** `open`: the sockets that the process had before it opened any of its own. */
export function readInheritedSockets(
  announced: readonly AnnouncedSocket[],
  open: OpenSockets,
): InheritedSockets {
  const found = announced.flatMap(({ fd, name }): Found[] => {
    const address = addressOf(fd);
    return address === null ? [] : [{ fd, name, address, isAnnounced: true }];
  });
  /** Those that are named by their descriptor and not announced. */
  const named = new Map<number, Found>();
  /** The first of these views stays open for the life of the master: a program may be stopped and started again. */
  const held = new Map<number, BoundListener>();

  async function hold(
    { fd: inherited, address, isAnnounced }: Found,
    backlog: number,
  ): Promise<BoundListener> {
    const known = held.get(inherited);
    if (known !== undefined) return known;
    // systemd's socket does not listen yet. For one that does, this only is the length of its queue.
    if (address.type === 'udp') await loadSystemCalls();
    else await listen(inherited, backlog);
    // No worker is to inherit it but as the listener that it is declared as.
    const fd = duplicate(inherited);
    if (typeof fd === 'string') throw cannotTake(inherited, address, fd);
    const handle = address.type === 'udp' ? descriptorOnly(fd) : handleOver(fd);
    if (typeof handle === 'string') throw cannotTake(inherited, address, handle);
    // An embedding program may still want the one that it has named.
    if (isAnnounced) closeSync(inherited);
    else keepFromChildren(inherited);
    const name = `inherited-${inherited}`;
    const listener = holdListener({
      name,
      address,
      backlog,
      fd,
      handle,
      isUndecided: false,
      isInherited: true,
      standsFor: null,
    });
    held.set(inherited, listener);
    return listener;
  }

  /** Several: the addresses of a host name, on one port. */
  function meantBy(wanted: ListenerPlan): readonly Found[] {
    const [first, ...others] = found.filter((one) => isMeant(wanted, one));
    if (first?.address.type !== 'tcp') return first === undefined ? [] : [first];
    const { port } = first.address;
    return [first, ...others.filter(({ address }) => address.type === 'tcp' && address.port === port)];
  }

  /** Errors: `addressUnusable`. */
  async function look(wanted: ListenerPlan): Promise<readonly Found[]> {
    const meant = meantBy(wanted);
    if (wanted.type !== 'fd' || meant.length > 0) return meant;
    const { fd } = wanted;
    const socket = named.get(fd) ?? {
      fd,
      name: null,
      address: await addressOfDescriptor(fd, open),
      isAnnounced: false,
    };
    named.set(fd, socket);
    return [socket];
  }

  return {
    look,
    async take(wanted) {
      const { name, backlog } = wanted;
      const meant = await look(wanted);
      const standsFor = meant.length > 1 ? name : null;
      return Promise.all(
        meant.map(async (socket, index) => {
          const own = index === 0 ? name : furtherName(name, index + 1);
          return (await hold(socket, backlog)).share({ name: own, backlog, standsFor });
        }),
      );
    },
    strangers(plan) {
      const meant = new Set(plan.flatMap(meantBy));
      return found.filter((socket) => !meant.has(socket));
    },
  };
}

/** Node.js has no use for a datagram socket that is only held. */
function descriptorOnly(fd: number): ServerHandle {
  return {
    fd,
    close() {
      closeSync(fd);
    },
  };
}

function cannotTake(fd: number, address: SocketAddress, code: string): GracefulRunError {
  const where = formatSocketAddress(address);
  return new GracefulRunError(
    'addressUnusable',
    `cannot listen on ${where}, which is inherited as descriptor ${fd}: ${code}`,
  );
}

/** By its name, or by its address. */
function isMeant(wanted: ListenerPlan, { fd, name, address }: Found): boolean {
  if (wanted.type === 'fd') return wanted.fd === fd;
  if (wanted.type !== address.type) return false;
  if (name !== null && name === wanted.name) return true;
  if (wanted.type === 'unix') return address.type === 'unix' && wanted.path === address.path;
  if (address.type === 'unix' || wanted.port !== address.port) return false;
  const { host } = wanted;
  return host === null || host === address.host || (host === 'localhost' && isLoopback(address.host));
}

function isLoopback(host: string): boolean {
  return host === '127.0.0.1' || host === '::1';
}

/** Null: it is no socket with an address that graceful-run knows. */
function addressOf(fd: number): SocketAddress | null {
  let inode: number;
  try {
    const stats = fstatSync(fd);
    if (!stats.isSocket()) return null;
    inode = stats.ino;
  } catch {
    return null;
  }
  return pathAddress(inode) ?? portAddress(inode);
}

/** From /proc/net/tcp, tcp6, udp and udp6 (proc(5)): the socket with this inode. */
function portAddress(inode: number): SocketAddress | null {
  for (const type of ['tcp', 'udp'] as const)
    for (const table of [`/proc/net/${type}`, `/proc/net/${type}6`])
      for (const line of readText(table).split('\n').slice(1)) {
        const [, local = '', , , , , , , , number] = line.trim().split(/\s+/);
        const address = number === String(inode) ? readTcpAddress(local) : null;
        if (address !== null) return { ...address, type };
      }
  return null;
}

/** From /proc/net/unix (proc(5)): the stream socket with this inode. */
function pathAddress(inode: number): SocketAddress | null {
  for (const line of readText('/proc/net/unix').split('\n')) {
    const [, type, number, path] = /^\S+ \S+ \S+ \S+ (\S+) \S+ +(\d+) (.+)$/.exec(line) ?? [];
    if (number === String(inode) && type === '0001' && path !== undefined) return { type: 'unix', path };
  }
  return null;
}
