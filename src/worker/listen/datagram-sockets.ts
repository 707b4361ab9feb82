/**
 * Sockets of `node:dgram` on the declared UDP listeners: `bind()` gets the inherited descriptor, and the socket reads once the accept gate is
 * open. A bundle of its own (bundle.ts), loaded where a UDP listener is declared.
 *
 * All generations have the same socket, so nothing that a worker does may change it for the others: what is closed is not closed, a group that
 * has been joined stays joined, and it cannot be connected to one peer.
 */
import { longestTimerMs } from '../../shared/durations.ts';
import { monotonicMs } from '../../shared/clock.ts';
import { formatSocketAddress } from '../../shared/format-address.ts';
import { isRecord } from '../../shared/protocol.ts';
import { beforeBind, type SocketHandle } from '../node-internals/datagram-methods.ts';
import type { HeldHandle } from '../node-internals/listening-handle.ts';
import { complain } from '../process/standard-streams.ts';
import type { AcceptGate } from './accept-gate.ts';
import { isWildcard } from './addresses.ts';
import type { UdpBinding } from './binding.ts';
import { createUnansweredDatagrams } from './unanswered-datagrams.ts';

// The timer functions as they were before the application was loaded, which may replace them.
const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;

export interface DatagramParts {
  readonly bindings: readonly UdpBinding[];
  readonly gate: AcceptGate;
  /** Called when a socket has been bound to a declared listener. */
  readonly placed: () => void;
  /** Called when the application was told that its socket is bound. */
  readonly listening: (name: string) => void;
  readonly released: (name: string) => void;
  readonly report: (type: 'undeclaredListen' | 'wideListen', address: string) => void;
}

export interface Datagrams {
  /** Stops reading on the listener until the accept gate opens again. The process is kept alive meanwhile. */
  pause(binding: UdpBinding): void;
  /** Stops reading on every listener, for good. Datagrams that were read go to the application as before. */
  stopReading(): void;
  /** Returns the number of datagrams that were read. */
  received(): number;
  /** Resolves when nothing that was received can still be answered, or after `longestMs`. */
  readonly whenAnswered: (longestMs: number) => Promise<void>;
}

export function interceptDatagrams(parts: DatagramParts): Datagrams {
  const { bindings, gate, report } = parts;
  const { EADDRINUSE, EADDRNOTAVAIL, EEXIST, ENOTSUP } = process.getBuiltinModule('node:os').constants.errno;
  const seen = new WeakSet<SocketHandle>();
  const suspend = new Map<UdpBinding, (keepsAlive: boolean) => void>();
  const unanswered = createUnansweredDatagrams(monotonicMs, (action, delayMs) => {
    const timer = setTimeout(action, delayMs);
    return () => {
      clearTimeout(timer);
    };
  });
  let received = 0;
  let hasComplained = false;

  function find(host: string, port: number): UdpBinding | undefined {
    const isIPv6 = host.includes(':');
    const meant = bindings.filter(
      ({ listener }) =>
        listener.port === port &&
        listener.host.includes(':') === isIPv6 &&
        (listener.host === host || isWildcard(host) || isWildcard(listener.host)),
    );
    return meant.find(({ listener }) => listener.host === host) ?? meant[0];
  }

  function watch(handle: SocketHandle): void {
    if (seen.has(handle)) return;
    seen.add(handle);
    const { open, bind } = handle;
    handle.open = (fd) => {
      const binding = bindings.find(({ listener }) => listener.fd === fd);
      if (binding === undefined) return open.call(handle, fd);
      return binding.state === 'inherited' ? take(binding, handle, open) : -EEXIST;
    };
    handle.bind = (host, port, flags) => {
      if (typeof host !== 'string' || Number(port) === 0) return bind.call(handle, host, port, flags);
      const binding = find(host, Number(port));
      if (binding === undefined) {
        const address = formatSocketAddress({ type: 'udp', host, port: Number(port) });
        complainOfFamily(host, Number(port));
        report('undeclaredListen', address);
        return bind.call(handle, host, port, flags);
      }
      // Bound without `reuseAddr`: with it, the kernel would give this socket the datagrams that are meant for all sockets.
      if (binding.state !== 'inherited') return bind.call(handle, host, port, 0);
      const { listener } = binding;
      if (isWildcard(listener.host) && !isWildcard(host))
        report('wideListen', formatSocketAddress({ type: 'udp', host, port: listener.port }));
      return take(binding, handle, open);
    };
  }

  function complainOfFamily(host: string, port: number): void {
    const other = bindings.find(({ listener }) => listener.port === port);
    if (other === undefined) return;
    const wanted = formatSocketAddress({ type: 'udp', host, port });
    const declared = formatSocketAddress(other.listener);
    complain(
      `cannot bind a ${host.includes(':') ? 'udp6' : 'udp4'} socket to ${declared}: declare ${wanted} as the listener, or make a ${host.includes(':') ? 'udp4' : 'udp6'} socket`,
    );
  }

  /** Puts the socket on the listener. Returns 0, or the negative number of the error. */
  function take(binding: UdpBinding, handle: SocketHandle, open: SocketHandle['open']): unknown {
    const error = open.call(handle, binding.listener.fd);
    if (error !== 0) return error;
    const { name } = binding.listener;
    binding.state = 'held';
    hold(binding, handle);
    protect(handle);
    observe(handle);
    parts.placed();
    // Node.js tells the application in this turn that the socket is bound.
    process.nextTick(() => {
      if (binding.state !== 'held') return;
      parts.listening(name);
      gate.recheck();
    });
    return 0;
  }

  function hold(binding: UdpBinding, handle: SocketHandle): void {
    const { recvStart, recvStop, ref, unref } = handle;
    let isReadingWanted = false;
    let isKeepingAlive = true;
    let alive: ReturnType<typeof setInterval> | null = null;

    const holdBack = (keepsAlive: boolean): HeldHandle => {
      recvStop.call(handle);
      // The timer keeps the process alive, because a socket that does not read does not.
      alive = keepsAlive ? setInterval(() => undefined, longestTimerMs) : null;
      if (!isKeepingAlive) alive?.unref();
      const letGo = (): void => {
        if (alive !== null) clearInterval(alive);
        alive = null;
      };
      return {
        letGo,
        listen: () => {
          letGo();
          return isReadingWanted ? Number(recvStart.call(handle)) : 0;
        },
      };
    };

    gate.guard(binding, () => holdBack(true));
    suspend.set(binding, (keepsAlive) => {
      binding.heldBack?.letGo();
      binding.heldBack = holdBack(keepsAlive);
    });
    handle.recvStart = () => {
      isReadingWanted = true;
      observeMessages(handle);
      return binding.heldBack === null ? recvStart.call(handle) : 0;
    };
    handle.recvStop = () => {
      isReadingWanted = false;
      return recvStop.call(handle);
    };
    handle.ref = () => {
      isKeepingAlive = true;
      alive?.ref();
      ref.call(handle);
    };
    handle.unref = () => {
      isKeepingAlive = false;
      alive?.unref();
      unref.call(handle);
    };
    // The descriptor stays open, so that the next socket to bind gets it. A handle that does not read costs nothing.
    handle.close = () => {
      handle.recvStop();
      unref.call(handle);
      binding.heldBack?.letGo();
      binding.heldBack = null;
      binding.state = 'inherited';
      suspend.delete(binding);
      parts.released(binding.listener.name);
    };
  }

  /** Notes to which address each datagram is sent, before the kernel gets it. */
  function observe(handle: SocketHandle): void {
    const { send } = handle;
    // `send` has two forms: a socket that is connected passes no address.
    handle.send = (...args) => {
      const [, , , port, host] = args;
      if (typeof port === 'number' && typeof host === 'string') unanswered.sent(`${host} ${port}`);
      return send.apply(handle, args);
    };
  }

  function observeMessages(handle: SocketHandle): void {
    const { onmessage } = handle;
    if (onmessage === undefined) return;
    handle.onmessage = (...args) => {
      const sender = args[3];
      if (isRecord(sender)) {
        received += 1;
        unanswered.received(`${String(sender['address'])} ${String(sender['port'])}`);
      }
      return onmessage.apply(handle, args);
    };
  }

  /** Replaces the methods that would change the socket for the other workers, which share it. */
  function protect(handle: SocketHandle): void {
    const { addMembership, addSourceSpecificMembership } = handle;
    handle.connect = () => {
      if (!hasComplained)
        complain(
          'cannot connect() a UDP socket that graceful-run holds: all workers share it, and would receive from that peer alone. Use send() with an address, or another socket',
        );
      hasComplained = true;
      return -ENOTSUP;
    };
    // EADDRINUSE means that another worker has joined already.
    handle.addMembership = (...args) => orJoined(addMembership.apply(handle, args), EADDRINUSE);
    handle.addSourceSpecificMembership = (...args) =>
      orJoined(addSourceSpecificMembership.apply(handle, args), EADDRNOTAVAIL);
    // The membership stays, because other workers still receive what is sent to the group.
    handle.dropMembership = () => 0;
    handle.dropSourceSpecificMembership = () => 0;
  }

  beforeBind(watch);
  return {
    pause(binding) {
      suspend.get(binding)?.(true);
    },
    stopReading() {
      for (const stop of suspend.values()) stop(false);
    },
    received: () => received,
    whenAnswered: unanswered.whenNone,
  };
}

function orJoined(result: unknown, joined: number): unknown {
  return result === -joined ? 0 : result;
}
