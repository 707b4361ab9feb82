/** Finds the server of a listening handle, and gives a server another handle (lib/net.js of Node 20, 22, 24 and 26; not documented). */
import { Server } from 'node:net';
import { formatAddress } from '../../shared/format-address.ts';
import type { RawHandle } from './listening-handle.ts';
import { inContextOf, putIntoContextOf } from './server-contexts.ts';

/** Finds the server that listens with the handle. Node.js keeps it under a symbol. */
export function serverOf(handle: RawHandle): Server | null {
  const values = Object.getOwnPropertySymbols(handle).map((symbol): unknown => Reflect.get(handle, symbol));
  return values.find((value) => value instanceof Server) ?? null;
}

/** Gives a connection to the server that listens with the handle, as if it had arrived there. */
export function acceptFor(listening: RawHandle, accepted: object): void {
  const accept = (): void => listening.onconnection?.(0, accepted);
  const server = serverOf(listening);
  if (server === null) accept();
  else inContextOf(server, accept);
}

/** Returns how many connections the server has, as it counts them for `maxConnections`. */
export function connectionCount(server: Server): number {
  return Number(Reflect.get(server, '_connections'));
}

/** Gives the server the handle `after`, as `net.Server` does with a handle that it is given, except listening (setupListenHandle in lib/net.js). */
export function swapHandle(server: Server, before: RawHandle, after: RawHandle): void {
  putIntoContextOf(server, after);
  Reflect.set(after, 'onconnection', before.onconnection);
  for (const symbol of Object.getOwnPropertySymbols(before))
    if (Reflect.get(before, symbol) === server) Reflect.set(after, symbol, server);
  Reflect.set(server, '_handle', after);
  if (Reflect.get(server, '_unref') === true) after.unref();
}

/**
 * Makes the server listen with the handle of a UNIX socket, of which `address()` is `path`. `server.listen(handle)` would open another
 * handle over its descriptor. `cluster` gives its workers such a handle in the same way.
 */
export function listenOnPipe(server: Server, handle: RawHandle, backlog: number, path: string): void {
  Reflect.set(server, '_handle', handle);
  Reflect.set(server, '_pipeName', path);
  const listen: unknown = Reflect.get(server, '_listen2');
  if (typeof listen !== 'function') throw new Error(`Node.js ${process.version} has no Server._listen2`);
  Reflect.apply(listen, server, [null, -1, -1, backlog, undefined]);
}

/** Makes the server stop listening and emit EADDRINUSE, as if listen(2) had failed. */
export function failListening(server: Server, handle: RawHandle, host: string, port: number): void {
  Reflect.set(server, '_handle', null);
  handle.close();
  const message = `listen EADDRINUSE: address already in use ${formatAddress(host, port)}`;
  const error = Object.assign(new Error(message), {
    code: 'EADDRINUSE',
    syscall: 'listen',
    address: host,
    port,
  });
  inContextOf(server, () => server.emit('error', error));
}
