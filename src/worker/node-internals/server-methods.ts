/** `listen` and `close` of `net.Server` as they were before we came, and the way to replace them. */
import { Server } from 'node:net';

export type ServerMethod = (this: Server, ...args: unknown[]) => Server;

type MethodName = 'listen' | 'close';

/** Replaces a method for every kind of server: http, https, http2 and tls inherit it. Answers the one before. */
export function replaceMethod(name: MethodName, make: (original: ServerMethod) => ServerMethod): void {
  const original = serverMethod(name);
  Object.defineProperty(Server.prototype, name, {
    value: make(original),
    writable: true,
    configurable: true,
    enumerable: true,
  });
}

/** The method as `net.Server` has it now. On an http.Server this one stops accepting and closes no connection. */
export function serverMethod(name: MethodName): ServerMethod {
  // Proven dispatch: the overloads of both methods are one function that looks at its arguments.
  return Reflect.get(Server.prototype, name) as ServerMethod;
}
