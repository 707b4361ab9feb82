/**
 * Lingering close, as nginx calls it, for a connection whose last response is sent before its request has arrived completely, as with
 * 401 and 413: what the client still sends is read and dropped. Closing at once would reset the connection, and the client could
 * lose a response that it has not read yet (RFC 9112, 9.6).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';

/** Call it for a response with `Connection: close`. The client has until the drain deadline to finish its request. */
export function closeLingering(response: ServerResponse): void {
  // Before Node.js's own listener, which closes the connection.
  response.prependOnceListener('finish', () => {
    const { req: request, socket } = response;
    if (!request.complete && socket !== null) closeInTwoSteps(socket, request);
  });
}

function closeInTwoSteps(socket: net.Socket, request: IncomingMessage): void {
  const close = socket.destroySoon.bind(socket);
  // Node.js (20 to 26) calls it when the last response has been written, while the request is still read to its end.
  socket.destroySoon = () => {
    socket.end();
    request.once('close', close);
  };
}
