/**
 * Sockets that graceful-run was started with, bound by what is above it. Those that systemd, systemd-socket-activate (sd_listen_fds(3)) or
 * Server::Starter announce are taken by a listener of the plan that has their name or their address, instead of binding it. Any other one is
 * taken by a listener that names its descriptor (`fd:3`). Such a socket outlives the master: its owner keeps it, and what queues there is served
 * by the next one.
 */
import { closeSync } from 'node:fs';
import { GracefulRunError } from '../../shared/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../../shared/format-address.ts';
import { canonicalHost } from '../config/canonical-host.ts';
import type { ListenerPlan } from '../config/plan.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import { duplicate, keepFromChildren } from '../system-calls/descriptor-calls.ts';
import { listen } from '../system-calls/socket-calls.ts';
import type { AnnouncedSocket } from './announced-sockets.ts';
import { addressOfDescriptor, readDescriptor, type OpenSockets } from './descriptors.ts';
import { furtherName } from './host-names.ts';
import { holdListener, type BoundListener } from './listener.ts';
import { descriptorOnly, handleOver } from './server-handle.ts';

export interface InheritedSocket {
  /** The name that the protocol gives the socket, or null if it gives none. */
  readonly name: string | null;
  readonly address: SocketAddress;
}

interface Found extends InheritedSocket {
  readonly fd: number;
  readonly isAnnounced: boolean;
  /** Whether the socket can be listened on: it is not connected, and of a kind that graceful-run holds. */
  readonly isUsable: boolean;
}

export interface InheritedSockets {
  /**
   * The sockets that a listener of the plan means. They are held until they are closed. Empty if there are none. Errors: `addressUnusable`, for a
   * descriptor.
   */
  take(wanted: ListenerPlan): Promise<readonly BoundListener[]>;
  /** The sockets that take() would return, without taking them. Errors: as take(). */
  look(wanted: ListenerPlan): Promise<readonly InheritedSocket[]>;
  /** The announced sockets that no listener of the plan means. */
  strangers(plan: readonly ListenerPlan[]): readonly InheritedSocket[];
}

/** Reads the inherited sockets. `open`: the sockets that the process had before it opened any of its own. */
export async function readInheritedSockets(
  announced: readonly AnnouncedSocket[],
  open: OpenSockets,
): Promise<InheritedSockets> {
  const found: Found[] = [];
  for (const { fd, name } of announced) {
    const { address, problem } = await readDescriptor(fd, open);
    if (address !== null) found.push({ fd, name, address, isAnnounced: true, isUsable: problem === null });
  }
  /** Sockets that the plan names by their descriptor, and that are not announced. */
  const named = new Map<number, Found>();
  /** The first view of each socket. It stays open for the life of the master, because a program may be stopped and started again. */
  const held = new Map<number, BoundListener>();

  async function hold(
    { fd: inherited, address, isAnnounced }: Found,
    backlog: number,
  ): Promise<BoundListener> {
    const known = held.get(inherited);
    if (known !== undefined) return known;
    // A socket of systemd may not listen yet. For one that does, this only sets the length of its queue.
    if (address.type === 'udp') await loadSystemCalls();
    else await listen(inherited, backlog);
    // No worker may inherit it except as the listener that it is declared as.
    const fd = duplicate(inherited);
    if (typeof fd === 'string') throw cannotTake(inherited, address, fd);
    const handle = address.type === 'udp' ? descriptorOnly(fd) : handleOver(fd);
    if (typeof handle === 'string') throw cannotTake(inherited, address, handle);
    // An embedding program may still need a descriptor that it has named itself.
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

  /**
   * The sockets that a listener of the plan means. There are several if it means the addresses of a host name, on one port. A name counts more than an
   * address.
   */
  function meantBy(wanted: ListenerPlan): readonly Found[] {
    const meant = found.filter((one) => one.isUsable && isMeant(wanted, one));
    const first = meant.find((one) => isNamed(wanted, one)) ?? meant[0];
    if (first?.address.type !== 'tcp') return first === undefined ? [] : [first];
    const { port } = first.address;
    return meant.filter(({ address }) => address.type === 'tcp' && address.port === port);
  }

  /** Finds the sockets that a listener of the plan means. Errors: `addressUnusable`. */
  async function look(wanted: ListenerPlan): Promise<readonly Found[]> {
    const meant = meantBy(wanted);
    if (wanted.type !== 'fd' || meant.length > 0) return meant;
    const { fd } = wanted;
    const socket = named.get(fd) ?? {
      fd,
      name: null,
      address: await addressOfDescriptor(fd, open),
      isAnnounced: false,
      isUsable: true,
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

function cannotTake(fd: number, address: SocketAddress, code: string): GracefulRunError {
  const where = formatSocketAddress(address);
  return new GracefulRunError(
    'addressUnusable',
    `cannot listen on ${where}, which is inherited as descriptor ${fd}: ${code}`,
  );
}

/** Whether the listener of the plan means the socket, by its descriptor, its name or its address. */
function isMeant(wanted: ListenerPlan, socket: Found): boolean {
  const { fd, address } = socket;
  if (wanted.type === 'fd') return wanted.fd === fd;
  if (wanted.type !== address.type) return false;
  if (isNamed(wanted, socket)) return true;
  if (wanted.type === 'unix') return address.type === 'unix' && wanted.path === address.path;
  if (address.type === 'unix' || wanted.port !== address.port) return false;
  return wanted.host === null || namesAddress(wanted.host, address.host);
}

function isNamed(wanted: ListenerPlan, { name }: Found): boolean {
  return name !== null && name === wanted.name;
}

/** Whether both are the same address. The system reports the address of a socket without its zone. */
function namesAddress(host: string, address: string): boolean {
  const [plain = host] = canonicalHost(host).split('%');
  return plain === canonicalHost(address) || (plain === 'localhost' && isLoopback(address));
}

function isLoopback(host: string): boolean {
  return host === '127.0.0.1' || host === '::1';
}
