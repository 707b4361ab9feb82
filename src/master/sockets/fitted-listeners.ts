/**
 * If the operator has named no address, the master first listens on every one, so that clients can queue while the first generation starts. As soon as a
 * worker of that generation tells which addresses its servers ask for, the master listens on these, and on no others any more. This file knows which
 * sockets stand for the declared listener.
 */
import { closeSync } from 'node:fs';
import type { TcpAddress } from '../../shared/format-address.ts';
import type { TcpOptions } from '../config/plan.ts';
import type { WantedAddress } from '../../shared/protocol.ts';
import { furtherName, nodeAddressOf } from './host-names.ts';
import { holdListener, type BoundListener } from './listener.ts';
import { handleOver } from './server-handle.ts';
import { ipVersion, sockaddrOf } from './numeric-address.ts';
import { listenBeside, shutListener, type NumericAddress } from '../system-calls/socket-calls.ts';

/** The result for an address. `isShared`: the declared listener, which is open to every address, serves it. */
export type Fit = { readonly bound: FittedListener } | { readonly isShared: boolean };

/** A listener for an address that a server has asked for. Only TCP addresses are fitted. */
export type FittedListener = BoundListener & { readonly address: TcpAddress };

export interface FittedListeners {
  /** Binds the address that a server asks for, once for all workers. */
  fit(name: string, wanted: WantedAddress): Promise<Fit>;
  /** Called when a worker has accepted everything that had queued on the declared listener. */
  emptied(name: string): void;
  /** Called when a generation serves: from now on no address is fitted. */
  decided(): void;
  /** Called when the listeners are about to be bound again. */
  reset(): void;
}

/** Makes the listeners that stand for declared ones. `listeners`: the ones that workers are started with; the list is changed in place. */
export function createFittedListeners(
  listeners: BoundListener[],
  onBound: (listener: BoundListener) => void,
  /** The options of the declared listener with this name. */
  optionsOf: (name: string) => TcpOptions | undefined = () => undefined,
): FittedListeners {
  /** The listeners that stand for a declared one: by its name, and by the address that is bound. */
  const fitted = new Map<string, Map<string, FittedListener>>();
  /** Declared listeners that are still open beside those that stand for them. */
  const replaced = new Map<string, BoundListener>();
  let isDecided = false;

  const declared = (name: string): BoundListener | null =>
    [...replaced.values(), ...listeners].find((one) => one.name === name && one.isUndecided) ?? null;

  function standingFor(name: string): Map<string, FittedListener> {
    const known = fitted.get(name) ?? new Map<string, FittedListener>();
    fitted.set(name, known);
    return known;
  }

  async function fit(name: string, { host, isIPv6Only }: WantedAddress): Promise<Fit> {
    const address = await nodeAddressOf(host).catch(() => null);
    if (address === null) return { isShared: false };
    const key = `${address} ${isIPv6Only}`;
    const own = standingFor(name);
    const known = own.get(key);
    if (known !== undefined) return { bound: known };
    const over = declared(name);
    if (over?.address.type !== 'tcp' || isDecided) return { isShared: own.size === 0 };
    const { backlog } = over;
    const { port } = over.address;
    const fd = await listenBeside(over.fd, numericAddress(address, port, isIPv6Only), backlog);
    if (typeof fd === 'string') return { isShared: fd === 'ENOSYS' };
    const options = optionsOf(name);
    if (options !== undefined) {
      try {
        const { applyTcpOptions } = await import('./tcp-socket.ts');
        await applyTcpOptions(fd, options);
      } catch {
        closeSync(fd);
        return { isShared: false };
      }
    }
    const handle = handleOver(fd);
    if (typeof handle === 'string') {
      closeSync(fd);
      return { isShared: false };
    }
    // The first one gets the name of the declared listener, so that messages about that, and connections that move to it, still find it.
    const isFirst = own.size === 0;
    const fittedTo: TcpAddress = { type: 'tcp', host: address, port };
    const listener = holdListener(
      {
        name: isFirst ? name : furtherName(name, own.size + 1),
        address: fittedTo,
        backlog,
        fd,
        handle,
        isUndecided: false,
        standsFor: name,
      },
      () => {
        if (isFirst) retire(name);
      },
    );
    const bound = { ...listener, address: fittedTo };
    own.set(key, bound);
    if (isFirst) {
      replaced.set(name, over);
      listeners.splice(listeners.indexOf(over), 1, bound);
    } else listeners.push(bound);
    onBound(bound);
    return { bound };
  }

  function retire(name: string): void {
    // Workers, and processes that they have started, hold copies of the declared listener.
    replaced.get(name)?.shut();
    replaced.delete(name);
  }

  return {
    fit,
    emptied(name) {
      // Only its listening ends, and it stays open: the next worker that looks makes it listen again for a moment, although it was shut down, and then
      // reports it as empty.
      const over = replaced.get(name);
      if (over !== undefined) shutListener(over.fd);
    },
    reset() {
      fitted.clear();
      replaced.clear();
      isDecided = false;
    },
    decided() {
      // At the second call, no worker has the declared listener any more. A worker that was to report that it is empty may have died before.
      if (isDecided) for (const name of [...replaced.keys()]) retire(name);
      isDecided = true;
      for (const [at, listener] of listeners.entries())
        if (listener.isUndecided) listeners[at] = { ...listener, isUndecided: false };
    },
  };
}

function numericAddress(address: string, port: number, isIPv6Only: boolean): NumericAddress {
  return { sockaddr: sockaddrOf(address, port), family: ipVersion(address) === 6 ? 10 : 2, isIPv6Only };
}
