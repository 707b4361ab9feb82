/**
 * `http.Server.close()` ends the connections that wait for a request, and applications call it as soon as they hear that a drain
 * has begun. Those that are about to move shall not end.
 */
import type net from 'node:net';
import { allBetweenMessages } from '../node-internals/between-messages.ts';

/** From now on the servers' `closeIdleConnections()` leaves those that are spared alone. */
export function spareIdle(servers: Iterable<net.Server>, isSpared: (socket: net.Socket) => boolean): void {
  for (const server of servers) {
    if (typeof Reflect.get(server, 'closeIdleConnections') !== 'function') continue;
    Object.defineProperty(server, 'closeIdleConnections', {
      value: () => {
        for (const socket of allBetweenMessages(server)) if (!isSpared(socket)) socket.destroy();
      },
      configurable: true,
      writable: true,
    });
  }
}
