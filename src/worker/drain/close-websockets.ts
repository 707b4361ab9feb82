/**
 * Closes the WebSockets of the package `ws` with 1001 (going away), spread over time so that their clients do not reconnect all at once.
 * It finds them by a symbol that `ws` leaves on each socket, whichever copy of the package made it (socket.io has its own). The symbol
 * is not documented; a test checks it for each version.
 */
import type net from 'node:net';
import { hiddenProperty } from '../../shared/hidden-property.ts';
import { forEachPaced } from './pacing.ts';

interface WebSocket {
  readonly readyState: number;
  close(code: number): void;
}

const open = 1;
/** RFC 6455, 7.4.1: the endpoint is going away. */
export const goingAway = 1001;

/** The key of the mark. A registered symbol, because a process may have several copies of this package. */
const exempt = Symbol.for('graceful-run.websocket');

/** Marks the socket so that its WebSocket is not closed here: graceful-run/ws moves or closes it. */
export function exemptFromClosing(socket: net.Socket): void {
  // Not enumerable, so that it does not appear when the socket is printed or copied.
  Object.defineProperty(socket, exempt, { value: true, configurable: true });
}

/** Closes every WebSocket on these sockets, spread evenly over this time, and at its end those that were opened meanwhile. */
export function closeWebSocketsOver(ms: number, sockets: () => readonly net.Socket[]): void {
  const webSockets = (): readonly WebSocket[] => sockets().flatMap((socket) => webSocketOn(socket) ?? []);
  forEachPaced(webSockets(), ms, close);
  setTimeout(() => {
    for (const webSocket of webSockets()) close(webSocket);
  }, ms).unref();
}

function close(webSocket: WebSocket): void {
  if (webSocket.readyState === open) webSocket.close(goingAway);
}

/** The WebSocket that `ws` has made of the socket; null if there is none, or if it is exempt. */
function webSocketOn(socket: net.Socket): WebSocket | null {
  if (Reflect.get(socket, exempt) === true) return null;
  const value = hiddenProperty(socket, 'websocket');
  return isWebSocket(value) ? value : null;
}

function isWebSocket(value: unknown): value is WebSocket {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'readyState' in value &&
    typeof value.readyState === 'number' &&
    'close' in value &&
    typeof value.close === 'function'
  );
}
