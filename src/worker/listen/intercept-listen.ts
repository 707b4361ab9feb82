/**
 * Stands in front of `server.listen()` and `server.close()` of every server, and carries out what `rules` decide.
 * It must not know what is declared, who is admitted or why a server is refused.
 */
import type net from 'node:net';
import { readListenCall, type ListenCall } from './listen-call.ts';
import type { Placement } from './placement.ts';
import type { RawHandle } from '../node-internals/listening-handle.ts';
import { inContextOf, putIntoContextOf, rememberContext } from '../node-internals/server-contexts.ts';
import { replaceMethod, type ServerMethod } from '../node-internals/server-prototype.ts';

export interface ListenRules {
  place(call: ListenCall): Placement;
  /** The server has been told to listen; `isHeldBack`: on a handle of ours. Comes again when it listens again. */
  track(server: net.Server, isHeldBack: boolean): void;
  /** The server has been told to listen outside of what is declared; how that ends, its events will tell. */
  outside(server: net.Server): void;
  /** True when we closed this server ourselves and the application does not know: its own close() then succeeds. */
  takeQuietlyClosed(server: net.Server): boolean;
}

export function patchServers(rules: ListenRules): void {
  /** Servers whose handle is still to come, with the way to give up. */
  const waiting = new WeakMap<net.Server, () => void>();
  /** Those of them that say an address already. */
  const saysAddress = new WeakSet<net.Server>();
  const endWaiting = (server: net.Server): void => {
    waiting.delete(server);
    if (saysAddress.delete(server)) Reflect.deleteProperty(server, 'address');
  };
  const giveUp = (server: net.Server): void => {
    const cancel = waiting.get(server);
    if (cancel === undefined) return;
    endWaiting(server);
    cancel();
  };

  replaceMethod('listen', (original): ServerMethod => {
    return function listen(...args) {
      // Throws ERR_SERVER_ALREADY_LISTEN.
      if (this.listening) return original.apply(this, args);
      giveUp(this);
      rememberContext(this);
      const call = readListenCall(args);
      const placement = rules.place(call);
      switch (placement.kind) {
        case 'passThrough':
          original.apply(this, args);
          if (placement.isOutside) rules.outside(this);
          break;
        case 'instead':
          original.apply(this, [...placement.args, ...(call.callback === null ? [] : [call.callback])]);
          break;
        case 'handle':
          listenOn(this, original, placement.handle, placement.backlog, call.callback);
          closeOnAbort(this, call.signal);
          tellListening(placement.listening);
          break;
        case 'later': {
          if (call.callback !== null) this.once('listening', call.callback);
          if (placement.address !== null && !Object.hasOwn(this, 'address')) {
            sayAddress(this, placement.address);
            saysAddress.add(this);
          }
          const { cancel } = placement.request(
            (handle) => {
              endWaiting(this);
              putIntoContextOf(this, handle);
              inContextOf(this, () => {
                listenOn(this, original, handle, placement.backlog, null);
              });
              tellListening(placement.listening);
            },
            (instead) => {
              endWaiting(this);
              inContextOf(this, () => original.apply(this, [...instead]));
            },
          );
          waiting.set(this, cancel);
          closeOnAbort(this, call.signal);
          break;
        }
      }
      rules.track(this, placement.kind === 'handle' || placement.kind === 'later');
      return this;
    };
  });

  replaceMethod('close', (original): ServerMethod => {
    return function close(...args) {
      giveUp(this);
      const [callback] = args;
      if (!rules.takeQuietlyClosed(this) || typeof callback !== 'function') return original.apply(this, args);
      this.once('close', () => {
        Reflect.apply(callback, undefined, []);
      });
      return original.call(this);
    };
  });
}

/** Node.js knows it at once when no host was asked for. */
function sayAddress(
  server: net.Server,
  { host, port }: { readonly host: string; readonly port: number },
): void {
  Object.defineProperty(server, 'address', {
    value: () => ({ address: host, family: host.includes(':') ? 'IPv6' : 'IPv4', port }),
    configurable: true,
    writable: true,
  });
}

function listenOn(
  server: net.Server,
  original: ServerMethod,
  handle: RawHandle,
  backlog: number,
  callback: ListenCall['callback'],
): void {
  original.call(server, handle, backlog, ...(callback === null ? [] : [callback]));
}

/** After the application's own 'listening' listeners, which Node.js calls on the next tick. */
function tellListening(listening: (() => void) | undefined): void {
  if (listening !== undefined) process.nextTick(listening);
}

/** `options.signal` as Node.js documents it: aborting closes the server. Given a handle, Node.js does not look at it. */
function closeOnAbort(server: net.Server, signal: AbortSignal | null): void {
  if (signal === null) return;
  const close = (): void => {
    server.close();
  };
  if (signal.aborted) {
    process.nextTick(close);
    return;
  }
  signal.addEventListener('abort', close, { once: true });
  server.once('close', () => {
    signal.removeEventListener('abort', close);
  });
}
