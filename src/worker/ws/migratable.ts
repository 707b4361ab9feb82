/** WebSockets of a `ws` server that move to the next worker when this one drains: the application's side of it. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import { GracefulRunError } from '../../shared/errors.ts';
import { asJson } from '../migration/application-state.ts';
import { runtimeOfProcess } from '../boot/start-alone.ts';
import { complain, described } from '../process/standard-streams.ts';
import { exemptFromClosing } from '../drain/close-websockets.ts';
import { arrive } from './arrival.ts';
import { compressionOf } from './compression.ts';
import { createDeparture, NotNow, type Departure } from './departure.ts';
import { emitClose, standingOf } from './ws-internals.ts';
import { readPassport, requestOver, type Passport, type UpgradeRequest } from './moved-websocket.ts';

export interface MigratableOptions {
  /**
   * The connection is here now, open, in `wss.clients`, and nothing of it was lost: add the listeners that 'connection' adds for a
   * new one, which is not emitted. `state` is what `save` said over there, in the release before this one; `request` has the method,
   * url and headers of the upgrade. When it answers a promise, messages wait until that is fulfilled. One that fails is
   * reported on stderr, and the connection closed with 1011.
   */
  readonly restore: (ws: WebSocket, state: unknown, request: IncomingMessage) => unknown;
  /**
   * Says what the next worker has to know: JSON, at most 64 KiB. Asked between two messages, in the turn in which the connection
   * leaves, so nothing can be sent after it. One that fails is reported on stderr, and the connection closed with 1001.
   * Default: null.
   */
  readonly save?: (ws: WebSocket) => unknown;
  /**
   * The connection has left: `ws` is CLOSED and emits nothing, not even 'close', for nobody has gone. The place to clear its timers.
   * Default: nothing happens.
   */
  readonly released?: (ws: WebSocket) => void;
  /** Tells several servers of one process apart; the same in every release. Default: `ws`. */
  readonly name?: string;
}

/** An open connection. */
interface Client {
  readonly socket: Socket;
  readonly request: UpgradeRequest;
  /** The listeners for 'close' that are not the application's. */
  readonly ours: readonly (() => void)[];
}

const names = new Set<string>();

/**
 * Makes the connections of this server move, from now on, when this worker drains and another one serves after it. Call it
 * once, before the worker is ready, in every release. A connection leaves between two messages; it is closed with 1001
 * (going away) when nobody adopts it, when it is not plain TCP, when its compression keeps context (permessage-deflate moves
 * with `serverNoContextTakeover` and `clientNoContextTakeover` only), or when it was never between two messages: such
 * closes are spread over the first half of the drain timeout. Run alone, it drains like a program that calls `graceful()`.
 *
 * Throws GracefulRunError `workerMisuse` when the name is taken, or the master's version does not fit.
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
  let departure: Departure | null = null;

  /** So early that there are no listeners but those of `ws`, which keep `wss.clients`, and this one. */
  function clientOf(ws: WebSocket, socket: Socket, request: UpgradeRequest): Client {
    exemptFromClosing(socket);
    ws.on('close', () => clients.delete(ws));
    return { socket, request, ours: ws.rawListeners('close') as (() => void)[] };
  }

  function enter(ws: WebSocket, client: Client): void {
    if (ws.readyState === ws.CLOSED) return;
    clients.set(ws, client);
    departure?.add(ws);
  }

  function passportOf(ws: WebSocket, { request }: Client): Passport {
    const compression = compressionOf(ws);
    if (ws.readyState !== ws.OPEN || standingOf(ws) !== 'betweenMessages' || compression === 'bound') {
      throw new NotNow();
    }
    const { protocol, binaryType, isPaused } = ws;
    return { request, protocol, compression, binaryType, isPaused, state: asJson(save(ws)) };
  }

  /** It is the other worker's now. `wss.clients` forgets it, and the application hears nothing. */
  function leave(ws: WebSocket, { ours }: Client): void {
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
      state: () => passportOf(ws, client),
      released: () => {
        leave(ws, client);
      },
    });
    return result === 'taken';
  }

  async function adopt(socket: Socket, content: unknown): Promise<void> {
    const passport = readPassport(content);
    const ws = passport === null ? null : arrive(wss, socket, passport);
    if (passport === null || ws === null) {
      socket.destroy();
      report(new Error('this server cannot take the connection as it is'));
      return;
    }
    const { request, state, isPaused } = passport;
    const client = clientOf(ws, socket, request);
    if (isPaused) ws.pause();
    try {
      const restored = restore(ws, state, requestOver(socket, request));
      if (restored instanceof Promise) await whilePaused(ws, restored);
    } catch (error) {
      report(error);
      ws.close(internalError);
    }
    enter(ws, client);
  }

  wss.prependListener('connection', (ws: WebSocket, request?: IncomingMessage) => {
    if (request === undefined) return;
    const { socket, method = 'GET', url = '/', headers, rawHeaders } = request;
    enter(ws, clientOf(ws, socket, { method, url, headers, rawHeaders }));
  });
  runtime.onAdopt(to, (socket, state) => void adopt(socket, state));
  runtime.onDrain(({ deadline }) => {
    departure = createDeparture({
      canMove: (ws) => compressionOf(ws) !== 'bound',
      move,
      failed: report,
      closedAt: performance.now() + (deadline - Date.now()) / 2,
    });
    for (const ws of clients.keys()) departure.add(ws);
  }, 'first');
}

/** RFC 6455, 7.4.1: an unexpected condition. */
const internalError = 1011;

/** Nothing is lost meanwhile: it waits to be read. */
async function whilePaused(ws: WebSocket, work: Promise<unknown>): Promise<void> {
  const { isPaused } = ws;
  ws.pause();
  try {
    await work;
  } finally {
    if (!isPaused) ws.resume();
  }
}

function report(error: unknown): void {
  complain(`cannot migrate a WebSocket: ${described(error)}`);
}
