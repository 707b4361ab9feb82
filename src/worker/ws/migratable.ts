/**
 * `migratable()`, the public API of graceful-run/ws: both ends of the migration of a WebSocket, from the `ws` server of the source to that
 * of the destination.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import { GracefulRunError } from '../../shared/errors.ts';
import { asJson } from '../migration/application-state.ts';
import { runtimeOfProcess } from '../boot/start-alone.ts';
import { complain, described } from '../process/standard-streams.ts';
import { exemptFromClosing } from '../drain/close-websockets.ts';
import { compressionOf } from './compression.ts';
import { createWebSocketMigration, NotNow, type WebSocketMigration } from './migrate-websockets.ts';
import { recreateWebSocket } from './recreate-websocket.ts';
import {
  readWebSocketState,
  requestOver,
  type UpgradeRequest,
  type WebSocketState,
} from './websocket-state.ts';
import { emitClose, progressOf } from './ws-internals.ts';

export interface MigratableOptions {
  /**
   * Called when a connection has migrated to this worker. It is open, in `wss.clients`, and has lost nothing. Add the listeners that your
   * listener for 'connection' adds to a new one; 'connection' itself is not emitted. `state` is the result of `save` in the previous
   * release; `request` has the method, url and headers of the upgrade. If it returns a promise, messages wait until that is fulfilled. If
   * it fails, the error is reported on stderr and the connection closed with 1011.
   */
  readonly restore: (ws: WebSocket, state: unknown, request: IncomingMessage) => unknown;
  /**
   * Returns the state that the destination needs: JSON, at most 64 KiB. Called between two messages, in the turn of the event loop in which
   * the connection leaves, so nothing can be sent after it. If it fails, the error is reported on stderr and the connection closed with
   * 1001. Default: null.
   */
  readonly save?: (ws: WebSocket) => unknown;
  /**
   * Called when the connection has left: `ws` is CLOSED and emits nothing, not even 'close', because the client is still connected.
   * Clear its timers here. Default: nothing.
   */
  readonly released?: (ws: WebSocket) => void;
  /** Distinguishes several servers of one process. It must be the same in every release. Default: `ws`. */
  readonly name?: string;
}

/** An open connection of the server. */
interface Client {
  readonly socket: Socket;
  readonly request: UpgradeRequest;
  /** The listeners for 'close' that `ws` and this file have added. */
  readonly ours: readonly (() => void)[];
}

const names = new Set<string>();

/**
 * Makes the connections of this server migrate to the next generation when this worker drains. Call it once, before the worker is ready,
 * in every release. A connection leaves between two messages. It is closed with 1001 (going away) if no destination takes it, if it is
 * over TLS, if its compression keeps context (permessage-deflate migrates with `serverNoContextTakeover` and
 * `clientNoContextTakeover` only), or if it was never between two messages. Such closes are spread over the first half of the drain
 * timeout. Without a master, the worker drains like a program that calls `graceful()`.
 *
 * Throws GracefulRunError `workerMisuse` if the name is taken, or if the master's version does not fit.
 */
export function migratable(
  wss: WebSocketServer,
  { restore, save = () => null, released = () => undefined, name = 'ws' }: MigratableOptions,
): void {
  if (names.has(name)) {
    throw new GracefulRunError('workerMisuse', `cannot migrate: a server named '${name}' is there already`, {
      hint: 'give each server of the process a name of its own',
    });
  }
  names.add(name);
  const runtime = runtimeOfProcess();
  const to = `graceful-run/ws ${name}`;
  const clients = new Map<WebSocket, Client>();
  let migration: WebSocketMigration | null = null;

  /**
   * Creates the entry of a connection. Call it before the application adds listeners: the listeners for 'close' are then only that of `ws`, which
   * maintains `wss.clients`, and the one that is added here.
   */
  function clientOf(ws: WebSocket, socket: Socket, request: UpgradeRequest): Client {
    exemptFromClosing(socket);
    ws.on('close', () => clients.delete(ws));
    return { socket, request, ours: ws.rawListeners('close') as (() => void)[] };
  }

  function addClient(ws: WebSocket, client: Client): void {
    if (ws.readyState === ws.CLOSED) return;
    clients.set(ws, client);
    migration?.add(ws);
  }

  function stateOf(ws: WebSocket, { request }: Client): WebSocketState {
    const compression = compressionOf(ws);
    if (ws.readyState !== ws.OPEN || progressOf(ws) !== 'betweenMessages' || compression === 'bound') {
      throw new NotNow();
    }
    const { protocol, binaryType, isPaused } = ws;
    return { request, protocol, compression, binaryType, isPaused, state: asJson(save(ws)) };
  }

  /** Removes a connection that the destination has from `wss.clients`, without telling the application. */
  function release(ws: WebSocket, { ours }: Client): void {
    ws.removeAllListeners();
    for (const listener of ours) ws.on('close', listener);
    emitClose(ws);
    ws.removeAllListeners();
    try {
      released(ws);
    } catch (error) {
      report(error);
    }
  }

  async function move(ws: WebSocket): Promise<boolean> {
    const client = clients.get(ws);
    if (client === undefined) return true;
    const result = await runtime.migrate(client.socket, {
      to,
      state: () => stateOf(ws, client),
      released: () => {
        release(ws, client);
      },
    });
    return result === 'taken';
  }

  async function adopt(socket: Socket, content: unknown): Promise<void> {
    const moved = readWebSocketState(content);
    const ws = moved === null ? null : recreateWebSocket(wss, socket, moved);
    if (moved === null || ws === null) {
      socket.destroy();
      report(new Error('this server cannot take the connection as it is'));
      return;
    }
    const { request, state, isPaused } = moved;
    const client = clientOf(ws, socket, request);
    if (isPaused) ws.pause();
    try {
      const restored = restore(ws, state, requestOver(socket, request));
      if (isThenable(restored)) await whilePaused(ws, restored);
    } catch (error) {
      report(error);
      ws.close(internalError);
    }
    addClient(ws, client);
  }

  wss.prependListener('connection', (ws: WebSocket, request?: IncomingMessage) => {
    if (request === undefined) return;
    const { socket, method = 'GET', url = '/', headers, rawHeaders } = request;
    addClient(ws, clientOf(ws, socket, { method, url, headers, rawHeaders }));
  });
  runtime.onAdopt(to, (socket, state) => void adopt(socket, state));
  runtime.onDrain(({ deadline }) => {
    migration = createWebSocketMigration({
      canMove: (ws) => compressionOf(ws) !== 'bound',
      move,
      failed: report,
      closedAt: performance.now() + (deadline - Date.now()) / 2,
    });
    for (const ws of clients.keys()) migration.add(ws);
  }, 'first');
}

/** RFC 6455, 7.4.1: an unexpected condition. */
const internalError = 1011;

/** Pauses the WebSocket until the work is done, so that its messages wait to be read. */
async function whilePaused(ws: WebSocket, work: PromiseLike<unknown>): Promise<void> {
  const { isPaused } = ws;
  ws.pause();
  try {
    await work;
  } finally {
    if (!isPaused) ws.resume();
  }
}

/** True for a value that can be awaited. Not every library returns a Promise: Bluebird's promises, the queries of knex and mongoose. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof Reflect.get(value, 'then') === 'function'
  );
}

function report(error: unknown): void {
  complain(`cannot migrate a WebSocket: ${described(error)}`);
}
