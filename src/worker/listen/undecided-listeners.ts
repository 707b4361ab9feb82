/**
 * Undecided listeners: the operator named a port and no address, so the master's socket is open to every address until a server asks for
 * one. A server that asks for every address gets it as it is, which decides it; for any other, the master is asked to bind the
 * address that the server wants.
 */
import {
  declaredName,
  type AnnouncedTcpListener,
  type MasterMessage,
  type WantedAddress,
} from '../../shared/protocol.ts';
import { canBind, holdBack, standInHandle, type RawHandle } from '../node-internals/listening-handle.ts';
import type { AcceptGate } from './accept-gate.ts';
import { acceptQueued } from './accept-queued.ts';
import { covers, isEverywhere, writeAddress } from './addresses.ts';
import { createBinding, type Binding, type TcpBinding } from './binding.ts';
import { keepProcessAlive, type ServerPlacement } from './place-server.ts';
import { bindByNode, listenOptions, passThrough, type Placement } from './placement.ts';
import { listenOnTrial } from './trial-listen.ts';

/** The master's answer to a server that asks for an address of its own. */
export type AddressAnswer = Extract<MasterMessage, { readonly type: 'address' | 'addressRefused' }>;

/**
 * A server that got another address than it asked for. `undeclaredListen`: no declared listener has that address, and the server binds it by itself.
 * `wideListen`: it got a listener that is open to every address. `narrowListen`: it asked for every address and got a listener for fewer, which an
 * earlier generation asked for.
 */
type Misfit = 'undeclaredListen' | 'wideListen' | 'narrowListen';

export interface UndecidedListenersParts {
  readonly listeners: readonly AnnouncedTcpListener[];
  /** Every other binding of this worker. One is added when a listener is decided, and for each address that the master binds. */
  readonly bindings: Binding[];
  readonly gate: AcceptGate;
  readonly placement: ServerPlacement;
  /** Asks the master to bind an address in place of the undecided listener. */
  requestAddress(name: string, wanted: WantedAddress): void;
  /** Called when the connections that had queued on the undecided listener were accepted. */
  queueAccepted(name: string): void;
  /** Delays readiness until the returned function is called. */
  delayReadiness(): () => void;
  /** Called when a server listens on the declared listener of this name. */
  listening(name: string): void;
  report(kind: Misfit, address: string): void;
}

export interface UndecidedListeners {
  /** Places a server that listens on the port; null if no undecided listener has that port. */
  place(host: string | null, port: number, isIPv6Only: boolean): Placement | null;
  /** Decides the listener with this descriptor: a server listens on it as it is. Null if there is no such listener. */
  decide(fd: number): Binding | null;
  /** Takes the master's answer; `handle` is the handle of the address that the master has bound. */
  readonly answered: (answer: AddressAnswer, handle: RawHandle | null) => void;
  /** Accepts, once, the connections that have queued on listeners in place of which servers have got other addresses. */
  acceptQueues(): void;
  isAcceptingQueue(): boolean;
}

interface Undecided {
  readonly binding: TcpBinding;
  /** The addresses that the master has bound in place of this listener. */
  readonly bound: (WantedAddress & { readonly binding: TcpBinding })[];
  readonly requests: AddressRequest[];
  /** Addresses that servers listen on for a moment, perhaps only to see whether they are free: not requested yet. */
  readonly trials: WantedAddress[];
  queue: 'untouched' | 'accepting' | 'accepted';
}

interface AddressRequest extends WantedAddress {
  readonly answered: (answer: AddressAnswer, handle: RawHandle | null) => void;
}

export function createUndecidedListeners(parts: UndecidedListenersParts): UndecidedListeners {
  const { bindings, gate, placement } = parts;
  const undecided = parts.listeners.map((listener): Undecided => ({
    binding: createBinding(listener, 'inherited'),
    bound: [],
    requests: [],
    trials: [],
    queue: 'untouched',
  }));

  function decide(open: Undecided): Binding {
    const at = undecided.indexOf(open);
    if (at !== -1) {
      undecided.splice(at, 1);
      bindings.push(open.binding);
    }
    return open.binding;
  }

  function place(open: Undecided, host: string | null, isIPv6Only: boolean): Placement {
    const { binding, bound, requests, trials } = open;
    const { port, backlog } = binding.listener;
    const wanted: WantedAddress = { host: host ?? '::', isIPv6Only };
    const isSame = (one: WantedAddress): boolean => one.host === wanted.host && one.isIPv6Only === isIPv6Only;
    if (isEverywhere(host, isIPv6Only) || (host === binding.listener.host && !isIPv6Only)) {
      if (bound.length + requests.length + trials.length > 0) return bindByNode(port, host, isIPv6Only);
      return placement.place(decide(open), host);
    }
    const same = bound.find(isSame);
    if (same !== undefined) return placement.place(same.binding, host, isIPv6Only);
    if (requests.some(isSame) || trials.some(isSame)) return bindByNode(port, host, isIPv6Only);
    if (gate.phase() === 'gated' && isNumeric(wanted.host))
      return canBind(wanted.host) ? placeOnTrial(open, wanted) : bindByNode(port, host, isIPv6Only);
    return {
      kind: 'later',
      backlog,
      listening: () => {
        tellListening(bound.find(isSame)?.binding ?? binding);
      },
      path: null,
      address: null,
      request: (arrived, refused) => request(open, wanted, arrived, refused),
    };
  }

  function placeOnTrial(open: Undecided, wanted: WantedAddress): Placement {
    const { host } = wanted;
    const { port, backlog } = open.binding.listener;
    const standIn = standInHandle(host, port);
    if (standIn === null) return passThrough;
    holdBack(standIn);
    const letBeReady = parts.delayReadiness();
    open.trials.push(wanted);
    return listenOnTrial({
      standIn,
      host,
      port,
      backlog,
      request: (arrived, refused) =>
        request(
          open,
          wanted,
          (handle, binding) => {
            arrived(handle);
            tellListening(binding);
          },
          refused,
        ),
      ended: () => {
        const at = open.trials.indexOf(wanted);
        if (at !== -1) open.trials.splice(at, 1);
        letBeReady();
      },
    });
  }

  function tellListening(binding: Binding): void {
    if (binding.state === 'held') parts.listening(declaredName(binding.listener));
  }

  /** Asks the master for the address. `arrived` gets the binding that has its handle; `refused` gets the arguments with which Node.js binds instead. */
  function request(
    open: Undecided,
    wanted: WantedAddress,
    arrived: (handle: RawHandle, binding: Binding) => void,
    refused: (args: readonly unknown[]) => void,
  ): { cancel(): void } {
    const { listener } = open.binding;
    const { host, isIPv6Only } = wanted;
    const letEnd = keepProcessAlive();
    const letBeReady = parts.delayReadiness();
    const over = (): void => {
      letEnd();
      // Later, so that the server has reported that it listens.
      setImmediate(letBeReady);
      open.requests.splice(open.requests.indexOf(pending), 1);
    };
    const refuse = (): void => {
      refused([listenOptions(listener.port, host, isIPv6Only)]);
    };
    const pending: AddressRequest = {
      ...wanted,
      answered(answer, handle) {
        over();
        if (answer.type === 'address' && handle !== null) {
          if (bindings.some((one) => one.listener.name === answer.bound.name)) {
            handle.close();
            refuse();
            return;
          }
          const binding = createBinding({ ...answer.bound, fd: -1, standsFor: listener.name }, 'requested');
          bindings.unshift(binding);
          open.bound.push({ ...wanted, binding });
          arrived(placement.hold(binding, host, handle), binding);
          if (gate.phase() === 'admitted') acceptQueue(open);
          return;
        }
        const shared = answer.type === 'addressRefused' && answer.isShared ? placeOnWide(open, host) : null;
        if (shared?.kind === 'handle') arrived(shared.handle, open.binding);
        else if (shared?.kind === 'later')
          shared.request((copy) => {
            arrived(copy, open.binding);
          }, refused);
        else {
          if (gate.phase() === 'admitted')
            parts.report('undeclaredListen', writeAddress(host, listener.port));
          refuse();
        }
      },
    };
    open.requests.push(pending);
    parts.requestAddress(listener.name, wanted);
    return {
      cancel() {
        if (open.requests.includes(pending)) over();
      },
    };
  }

  function placeOnWide(open: Undecided, host: string): Placement {
    parts.report('wideListen', writeAddress(host, open.binding.listener.port));
    return placement.place(decide(open), host);
  }

  function acceptQueue(open: Undecided): void {
    if (open.queue !== 'untouched' || open.bound.length === 0) return;
    open.queue = 'accepting';
    const { name, fd, backlog } = open.binding.listener;
    acceptQueued(
      fd,
      backlog,
      (local) =>
        open.bound.find(({ binding }) => binding.state === 'held' && covers(binding.listener.host, local))
          ?.binding.handle ?? null,
      () => {
        open.queue = 'accepted';
        parts.queueAccepted(name);
        gate.recheck();
      },
    );
  }

  return {
    place(host, port, isIPv6Only) {
      const open = undecided.find(({ binding }) => binding.listener.port === port);
      return open === undefined ? null : place(open, host, isIPv6Only);
    },
    decide(fd) {
      const open = undecided.find(({ binding }) => binding.listener.fd === fd);
      return open === undefined ? null : decide(open);
    },
    answered: (answer, handle) => {
      const pending = undecided
        .find(({ binding }) => binding.listener.name === answer.name)
        ?.requests.find(({ host, isIPv6Only }) => host === answer.host && isIPv6Only === answer.isIPv6Only);
      if (pending === undefined) handle?.close();
      else pending.answered(answer, handle);
    },
    acceptQueues() {
      for (const open of undecided) acceptQueue(open);
    },
    isAcceptingQueue: () => undecided.some(({ queue }) => queue === 'accepting'),
  };
}

function isNumeric(host: string): boolean {
  return process.getBuiltinModule('node:net').isIP(host) !== 0;
}
