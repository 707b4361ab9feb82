/**
 * The end of a connection whose last response was given before its request had come to its end, as with 401 and 413: what the
 * client still sends is read and dropped. Closing at once would reset the connection, and the client could lose the answer
 * that it has not read yet (RFC 9112, 9.6). It must not know why the response is the last.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';

/** For a response that says close: the connection then ends in two steps. The drain timeout is the bound. */
export function closeLingering(response: ServerResponse): void {
  // Ahead of Node.js's own listener, which closes.
  response.prependOnceListener('finish', () => {
    const { req: request, socket } = response;
    if (!request.complete && socket !== null) closeInTwoSteps(socket, request);
  });
}

function closeInTwoSteps(socket: net.Socket, request: IncomingMessage): void {
  const close = socket.destroySoon.bind(socket);
  // Node.js calls it, on 20 to 26, when the last response was written; the request is being read to its end then.
  socket.destroySoon = () => {
    socket.end();
    request.once('close', close);
  };
}
