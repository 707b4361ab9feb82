/**
 * The methods of `net.Server.prototype`, which every kind of server inherits (http, https, http2, tls): `listen` and `close` as they were
 * before graceful-run, and the way to replace them; and `emit`, through which the events of servers are observed without a listener,
 * because frameworks count and remove listeners.
 */
import { Server } from 'node:net';

export type ServerMethod = (this: Server, ...args: unknown[]) => Server;

type MethodName = 'listen' | 'close';

type Emit = (this: Server, event: string | symbol, ...args: unknown[]) => boolean;

/** Returns the method as `net.Server` has it now. On an http.Server, this `close` stops accepting and closes no connection. */
export function serverMethod(name: MethodName): ServerMethod {
  // Proven dispatch: the overloads of both methods are one function that looks at its arguments.
  return Reflect.get(Server.prototype, name) as ServerMethod;
}

export function replaceMethod(name: MethodName, make: (original: ServerMethod) => ServerMethod): void {
  define(name, make(serverMethod(name)));
}

/** Calls `observe` for every event of every server, before the server's listeners. `first` is the event's first argument. */
export function observeServers(
  observe: (server: Server, event: string | symbol, first: unknown) => void,
): void {
  const { prototype } = Server;
  // An own `emit` is called directly. An inherited one is looked up at every call, because `domain` replaces that of every emitter.
  const own = Object.hasOwn(prototype, 'emit') ? emitOf(prototype) : null;
  const inherited: unknown = Object.getPrototypeOf(prototype);
  define('emit', function emit(this: Server, event: string | symbol, ...args: unknown[]) {
    observe(this, event, args[0]);
    return (own ?? emitOf(inherited)).call(this, event, ...args);
  });
}

function define(name: string, value: unknown): void {
  Object.defineProperty(Server.prototype, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: true,
  });
}

function emitOf(prototype: unknown): Emit {
  // Proven dispatch: a server is an emitter.
  return Reflect.get(prototype as object, 'emit') as Emit;
}
