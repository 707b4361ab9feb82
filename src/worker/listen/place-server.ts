/** Places a server on a declared listener: gives it the inherited handle, a share of it, a copy from the master, or the kernel's refusal. */
import { longestTimerMs } from '../../shared/durations.ts';
import { declaredName } from '../../shared/protocol.ts';
import {
  holdBack,
  onClosed,
  openInherited,
  putAside,
  standInHandle,
  type RawHandle,
} from '../node-internals/listening-handle.ts';
import type { AcceptGate } from './accept-gate.ts';
import { canShare, readPath } from './addresses.ts';
import { siblingsOf, type Binding } from './binding.ts';
import { listenOptions, passThrough, type Placement } from './placement.ts';

export interface ServerPlacementParts {
  /** Every binding of this worker that is not undecided. */
  readonly bindings: readonly Binding[];
  readonly gate: AcceptGate;
  /** Asks the master for another copy of the listener. */
  requestCopy(name: string, request: number): void;
  /** Called when a server listens on the declared listener of this name. */
  listening(name: string): void;
  /** Called when no server listens on the declared listener of this name any more. */
  released(name: string): void;
  /** Called when a server listens and may accept: it then also accepts on sockets of the same declared listener that have no server. */
  readonly serveSiblings: () => void;
}

export interface ServerPlacement {
  /** Places a server that asks for `host` on the listener. Calls `warn` if the server gets it. */
  place(binding: Binding, host: string | null, isIPv6Only?: boolean, warn?: () => void): Placement;
  /** Makes `handle` the handle of the binding: the accept gate guards it, and its closing is noticed. Returns the handle. */
  hold(binding: Binding, host: string | null, handle: RawHandle): RawHandle;
  /** Asks the master for another copy of the listener. */
  requestCopy(
    binding: Binding,
    host: string | null,
    arrived: (handle: RawHandle) => void,
    refused: () => void,
  ): { cancel(): void };
  /** Places a server on a handle that never accepts, beside the server on `binding`, or null if there is none. */
  placeOnStandIn(binding: Binding | null, host: string | null, port: number): Placement;
}

export function createServerPlacement(parts: ServerPlacementParts): ServerPlacement {
  const { bindings, gate } = parts;

  function hold(binding: Binding, host: string | null, handle: RawHandle): RawHandle {
    const isInherited = binding.state === 'inherited';
    binding.state = 'held';
    binding.handle = handle;
    binding.hosts.add(host);
    gate.guard(binding, () => holdBack(handle));
    const released = (): void => {
      binding.heldBack?.letGo();
      binding.heldBack = null;
      binding.hosts.delete(host);
      const name = declaredName(binding.listener);
      if (!bindings.some((one) => one.state === 'held' && declaredName(one.listener) === name))
        parts.released(name);
    };
    const closed = (): void => {
      // The handle was replaced by a copy while accepting was paused.
      if (binding.handle !== handle) return;
      binding.state = 'closed';
      binding.servedBy = null;
      released();
      // The server of this handle also accepted on these siblings.
      for (const one of siblingsOf(binding, bindings)) if (one.servedBy === binding) one.handle?.close();
    };
    // Before admission the descriptor stays open, so that the next server to listen has it at once, as without a master.
    if (isInherited && gate.phase() === 'gated') {
      putAside(
        handle,
        () => gate.phase() === 'gated',
        (isClosed) => {
          if (isClosed) {
            closed();
            return;
          }
          binding.state = 'inherited';
          released();
        },
      );
    } else onClosed(handle, closed);
    return handle;
  }

  function placeOnStandIn(binding: Binding | null, host: string | null, port: number): Placement {
    const handle = standInHandle(host, port);
    if (handle === null) return passThrough;
    if (binding !== null) {
      binding.hosts.add(host);
      onClosed(handle, () => binding.hosts.delete(host));
    }
    return { kind: 'handle', handle, backlog: 0, path: null };
  }

  function requestCopy(
    binding: Binding,
    host: string | null,
    arrived: (handle: RawHandle) => void,
    refused: () => void,
  ): { cancel(): void } {
    const letEnd = keepProcessAlive();
    const over = (): void => {
      letEnd();
      binding.deliver = null;
      binding.refuse = null;
      binding.hosts.delete(host);
    };
    binding.state = 'requested';
    binding.hosts.add(host);
    binding.deliver = (handle) => {
      over();
      arrived(handle);
    };
    binding.refuse = () => {
      over();
      binding.state = 'closed';
      refused();
    };
    binding.requests += 1;
    parts.requestCopy(binding.listener.name, binding.requests);
    return {
      cancel() {
        if (binding.deliver === null) return;
        over();
        binding.state = 'closed';
      },
    };
  }

  return {
    hold,
    requestCopy,
    placeOnStandIn,
    place(binding, host, isIPv6Only = false, warn = () => undefined) {
      const { listener } = binding;
      const { backlog, fd } = listener;
      const path = listener.type === 'unix' ? listener.path : null;
      /** The options with which Node.js asks the kernel for the address. */
      const options = (own: string | null): object =>
        listener.type === 'unix'
          ? { path: readPath(listener.path) }
          : listenOptions(listener.port, own, isIPv6Only);
      const listening = (): void => {
        // A program that only looks whether the port is free has closed it already.
        if (binding.state !== 'held') return;
        warn();
        parts.listening(declaredName(binding.listener));
        gate.recheck();
        if (gate.phase() === 'admitted') parts.serveSiblings();
      };
      // A sibling's server accepts here, and a server of its own takes its place.
      if (binding.servedBy !== null) binding.handle?.close();
      switch (binding.state) {
        case 'inherited': {
          const handle = openInherited(fd);
          // Node.js is given the descriptor, and reports what is wrong with it.
          if (handle === null) return { kind: 'instead', args: [{ fd }] };
          return { kind: 'handle', handle: hold(binding, host, handle), backlog, path, listening };
        }
        case 'held':
        case 'requested':
          if (listener.type === 'tcp' && canShare(binding.hosts, host)) {
            warn();
            return placeOnStandIn(binding, host, listener.port);
          }
          // The kernel knows that the address is taken, so the application gets the same EADDRINUSE as without graceful-run.
          return {
            kind: 'instead',
            args: [options(host ?? (listener.type === 'tcp' ? listener.host : null))],
          };
        case 'closed':
          return {
            kind: 'later',
            backlog,
            listening,
            path,
            address: host === null && listener.type === 'tcp' ? listener : null,
            request: (arrived, refused) =>
              requestCopy(
                binding,
                host,
                (copy) => {
                  arrived(hold(binding, host, copy));
                },
                () => {
                  refused([options(host)]);
                },
              ),
          };
      }
    },
  };
}

/** Keeps the process alive, as a listening server would, until the returned function is called. */
export function keepProcessAlive(): () => void {
  const alive = setInterval(() => undefined, longestTimerMs);
  return () => {
    clearInterval(alive);
  };
}
