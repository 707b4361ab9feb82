/**
 * Makes a WebSocket of a connection that has migrated to this worker, with the server's own `handleUpgrade`: for a request that asks for
 * exactly what was negotiated in the source, and without writing the response. So the WebSocket has every option of the server, is of
 * its class, and is one of its clients.
 */
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import { agrees, deflateOptions, offerOf } from './compression.ts';
import { requestOver, type WebSocketState } from './websocket-state.ts';

/** Any well-formed key will do, because the response to it is not written. This is the example of RFC 6455. */
const key = 'dGhlIHNhbXBsZSBub25jZQ==';

const silenced = ['write', 'end'] as const;

/** Makes the WebSocket. Returns null if this server does not accept the connection as it is. */
export function recreateWebSocket(
  wss: WebSocketServer,
  socket: Socket,
  state: WebSocketState,
): WebSocket | null {
  const { protocol, compression, binaryType } = state;
  const request = requestOver(socket, {
    method: 'GET',
    url: state.request.url,
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
  // The client got its response when it connected to the source.
  for (const name of silenced) Object.defineProperty(socket, name, { value: () => true, configurable: true });
  try {
    withDecisionsMade(wss, state).handleUpgrade(request, socket, Buffer.alloc(0), (ws) => {
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

/** Wraps the server so that the decisions of the upgrade are already made: nothing is verified or negotiated again, and 'headers' is not emitted. */
function withDecisionsMade(wss: WebSocketServer, { protocol, compression }: WebSocketState): WebSocketServer {
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
