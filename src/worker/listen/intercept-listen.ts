/** Intercepts `server.listen()` and `server.close()` of every server, and carries out the placement that `rules` decide. */
import type net from 'node:net';
import { readPath } from './addresses.ts';
import { readListenCall, type ListenCall } from './listen-call.ts';
import { listenOnPipe } from '../node-internals/server-handles.ts';
import type { Placement } from './placement.ts';
import type { RawHandle } from '../node-internals/listening-handle.ts';
import { inContextOf, putIntoContextOf, rememberContext } from '../node-internals/server-contexts.ts';
import { replaceMethod, type ServerMethod } from '../node-internals/server-prototype.ts';

export interface ListenRules {
  place(call: ListenCall): Placement;
  /** Called at every `listen()`. `isHeldBack`: the server listens on a handle that graceful-run has given it. */
  track(server: net.Server, isHeldBack: boolean): void;
  /** Called when a server begins to listen on an address that is not declared. The server's events show how that ends. */
  outside(server: net.Server): void;
  /**
   * Called when the application closes a server or lets it listen. Returns true, once, for a server that graceful-run closed without the
   * application's knowledge: the application's own close() then succeeds.
   */
  takeQuietlyClosed(server: net.Server): boolean;
}

export function patchServers(rules: ListenRules): void {
  /** Servers that wait for a handle, with the function that cancels the wait. */
  const waiting = new WeakMap<net.Server, () => void>();
  /** The waiting servers whose `address()` returns an address already. */
  const hasAddress = new WeakSet<net.Server>();
  const endWaiting = (server: net.Server): void => {
    waiting.delete(server);
    if (hasAddress.delete(server)) Reflect.deleteProperty(server, 'address');
  };
  const giveUp = (server: net.Server): void => {
    const cancel = waiting.get(server);
    if (cancel === undefined) return;
    endWaiting(server);
    cancel();
  };

  replaceMethod('listen', (original): ServerMethod => {
    return function listen(...args) {
      // From this call on, the server shows its own address again.
      rules.takeQuietlyClosed(this);
      // Node.js throws ERR_SERVER_ALREADY_LISTEN here.
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
          listenOn(this, original, placement.handle, placement, call.callback);
          closeOnAbort(this, call.signal);
          tellListening(placement.listening);
          break;
        case 'later': {
          if (call.callback !== null) this.once('listening', call.callback);
          if (placement.address !== null && !Object.hasOwn(this, 'address')) {
            setAddress(this, placement.address);
            hasAddress.add(this);
          }
          const { cancel } = placement.request(
            (handle) => {
              endWaiting(this);
              putIntoContextOf(this, handle);
              inContextOf(this, () => {
                listenOn(this, original, handle, placement, null);
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

/** Makes `address()` return the address at once, as Node.js does if no host was given. */
function setAddress(
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
  { backlog, path }: { readonly backlog: number; readonly path: string | null },
  callback: ListenCall['callback'],
): void {
  if (path !== null) {
    if (callback !== null) server.once('listening', callback);
    listenOnPipe(server, handle, backlog, readPath(path));
    return;
  }
  original.call(server, handle, backlog, ...(callback === null ? [] : [callback]));
}

/** Calls `listening` after the application's own 'listening' listeners, which Node.js calls on the next tick. */
function tellListening(listening: (() => void) | undefined): void {
  if (listening !== undefined) process.nextTick(listening);
}

/** Closes the server when `options.signal` aborts, as Node.js documents. Node.js ignores the signal when it listens on a handle. */
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
