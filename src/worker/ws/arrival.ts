/**
 * Makes a WebSocket of a connection that has come from another worker: the server's own `handleUpgrade`, for a request that asks
 * for exactly what was agreed on over there, and whose answer is not written. So the WebSocket has every option of the
 * server, is of its class and among its clients. It must not know how the connection came.
 */
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import { agrees, deflateOptions, offerOf } from './compression.ts';
import { requestOver, type Passport } from './moved-websocket.ts';

/** Any that is well formed: nobody sees what is made of it. RFC 6455 has this one as its example. */
const key = 'dGhlIHNhbXBsZSBub25jZQ==';

const silenced = ['write', 'end'] as const;

/** Null: this server does not take it as it is. */
export function arrive(wss: WebSocketServer, socket: Socket, passport: Passport): WebSocket | null {
  const { protocol, compression, binaryType } = passport;
  const request = requestOver(socket, {
    method: 'GET',
    url: passport.request.url,
    rawHeaders: [],
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      ...(protocol === '' ? {} : { 'sec-websocket-protocol': protocol }),
      ...(compression === null ? {} : { 'sec-websocket-extensions': offerOf(compression) }),
    },
  });
  let made: WebSocket | null = null;
  // The client has had its answer long ago.
  for (const name of silenced) Object.defineProperty(socket, name, { value: () => true, configurable: true });
  try {
    standIn(wss, passport).handleUpgrade(request, socket, Buffer.alloc(0), (ws) => {
      made = ws;
    });
  } finally {
    for (const name of silenced) Reflect.deleteProperty(socket, name);
  }
  const ws = made as WebSocket | null;
  if (ws === null || !agrees(ws, compression)) return null;
  Reflect.set(ws, 'binaryType', binaryType);
  return ws;
}

/** The server, as if it had decided already: nothing is verified or chosen again, and nobody hears of an answer. */
function standIn(wss: WebSocketServer, { protocol, compression }: Passport): WebSocketServer {
  const options = {
    ...wss.options,
    path: undefined,
    verifyClient: null,
    handleProtocols: () => protocol,
    perMessageDeflate: compression !== null && deflateOptions(wss.options.perMessageDeflate, compression),
  };
  const emit = (event: string, ...args: unknown[]): boolean =>
    event !== 'headers' && wss.emit(event, ...args);
  const decided = new Map<string | symbol, unknown>([
    ['options', options],
    ['emit', emit],
    ['shouldHandle', () => true],
  ]);
  return new Proxy(wss, {
    get: (target, name) => (decided.has(name) ? decided.get(name) : (Reflect.get(target, name) as unknown)),
  });
}
