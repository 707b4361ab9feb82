/**
 * WebSockets of the `ws` package, however it was loaded (socket.io brings its own): a drain closes them with 1001, going away,
 * each at another moment, so that their clients do not come back all at once. `ws` notes on a socket whose it is, which is not
 * documented; a test holds the versions to it. It must not load `ws`, nor touch those that graceful-run/ws moves.
 */
import type net from 'node:net';
import { forEachPaced } from './pacing.ts';

export interface WebSockets {
  /** Closes every WebSocket that is open: evenly over this time, and at its end those that were opened meanwhile. */
  closeOver(ms: number): void;
}

interface WebSocket {
  readonly readyState: number;
  close(code: number): void;
}

const open = 1;
/** RFC 6455, 7.4.1: the endpoint is going away. */
export const goingAway = 1001;

/** For all copies of this package in the process. */
const exempt = Symbol.for('graceful-run.websocket');

/** The WebSocket over this socket is closed or moved by somebody else in this process. */
export function exemptFromClosing(socket: net.Socket): void {
  // Not for those that look at what a socket has.
  Object.defineProperty(socket, exempt, { value: true, configurable: true });
}

export function createWebSockets(open: () => readonly net.Socket[]): WebSockets {
  const webSockets = (): readonly WebSocket[] => open().flatMap((socket) => webSocketOn(socket) ?? []);

  return {
    closeOver(ms) {
      forEachPaced(webSockets(), ms, goAway);
      setTimeout(() => {
        for (const webSocket of webSockets()) goAway(webSocket);
      }, ms).unref();
    },
  };
}

function goAway(webSocket: WebSocket): void {
  if (webSocket.readyState === open) webSocket.close(goingAway);
}

/** The WebSocket that `ws` has made of the socket; null when there is none, or it is somebody else's affair. */
function webSocketOn(socket: net.Socket): WebSocket | null {
  if (Reflect.get(socket, exempt) === true) return null;
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'websocket');
  const value: unknown = symbol === undefined ? null : Reflect.get(socket, symbol);
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
