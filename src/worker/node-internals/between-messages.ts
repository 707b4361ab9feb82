/**
 * Finds the HTTP/1 connections that are between two messages, with nothing half read, and puts the parser of a connection into that state
 * after it has migrated. Uses the HTTP parser of a socket and the list of parsers of a server, which are not documented; measured on
 * Node 20, 22, 24 and 26.
 */
import type net from 'node:net';
import { hiddenProperty } from '../../shared/hidden-property.ts';

interface ParserList {
  /** The parsers that are in a message, or wait for their first one. */
  active(): readonly Parsing[];
  /** The parsers that wait for their next message. */
  idle(): readonly Parsing[];
}

interface Parsing {
  readonly socket?: net.Socket;
}

/** The connections whose parser has skipped its first message. */
const skipped = new WeakSet<net.Socket>();

/** True if this connection of the server is between two messages. Valid for the current turn of the event loop. */
export type IsBetween = (socket: net.Socket) => boolean;

/** Finds the connections of the server that are between two messages. It examines all of them, so its cost grows with their number. */
export function betweenMessages(server: net.Server): IsBetween {
  const all = new Set(allBetweenMessages(server));
  return (socket) => all.has(socket);
}

/**
 * Like betweenMessages(), for connections whose response has just ended. Its cost grows with the number of connections that are in a message. It must
 * not be used for others: Node.js removes a request that takes too long from the list of active ones, even if the request continues.
 */
export function betweenMessagesAfterResponse(server: net.Server): IsBetween {
  const list = parserList(server);
  if (list === null) return () => false;
  const busy = new Set(list.active().map(({ socket }) => socket));
  return (socket) => !busy.has(socket);
}

/** All connections of the server that are between two messages. Its cost grows with their number. */
export function allBetweenMessages(server: net.Server): readonly net.Socket[] {
  return (
    parserList(server)
      ?.idle()
      .flatMap(({ socket }) => socket ?? []) ?? []
  );
}

/** True if the connection has an HTTP/1 parser. It has none over TLS or after an upgrade. */
export function hasParser(socket: net.Socket): boolean {
  const parser: unknown = Reflect.get(socket, 'parser');
  return typeof parser === 'object' && parser !== null;
}

/** A complete request, which is parsed and then ignored. */
const unseen = Buffer.from('GET / HTTP/1.1\r\n\r\n');

interface Parser {
  onIncoming: (...args: unknown[]) => unknown;
  execute(bytes: Buffer): unknown;
}

/**
 * Puts the parser of a connection that has migrated into the state that it had in the source: after a message. Otherwise the server would
 * apply the time limits of a first request, and send 408 to a client that is merely idle.
 */
export function skipFirstMessage(socket: net.Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (!isParser(parser)) return;
  const { onIncoming } = parser;
  parser.onIncoming = ignore;
  // Without these two callbacks, the parser creates no objects for the message, and needs a tenth of the time. If the callbacks are not found, the
  // objects are created and ignored.
  const callbacks = callbacksOf(parser);
  for (const [index] of callbacks) Reflect.set(parser, index, undefined);
  parser.execute(unseen);
  for (const [index, callback] of callbacks) Reflect.set(parser, index, callback);
  parser.onIncoming = onIncoming;
  skipped.add(socket);
}

const ignore = (): number => 0;

/** The parser's callbacks for the end of a head and of a message, under the indexes that its class defines. */
function callbacksOf(parser: Parser): readonly (readonly [index: number, callback: unknown])[] {
  return ['kOnHeadersComplete', 'kOnMessageComplete'].flatMap((name) => {
    const index: unknown = Reflect.get(parser.constructor, name);
    return typeof index === 'number' ? [[index, Reflect.get(parser, index) as unknown] as const] : [];
  });
}

/** Calls `came` when the head of the next request has arrived, before the server and the application see it. */
export function onNextRequest(socket: net.Socket, came: () => void): void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (!isParser(parser)) return;
  const { onIncoming } = parser;
  parser.onIncoming = (...args: unknown[]): unknown => {
    parser.onIncoming = onIncoming;
    came();
    return onIncoming.apply(parser, args);
  };
}

function isParser(value: unknown): value is Parser {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'onIncoming') === 'function' &&
    typeof Reflect.get(value, 'execute') === 'function'
  );
}

/** True if the parser has skipped its first message. */
export function hasSkippedFirstMessage(socket: net.Socket): boolean {
  return skipped.has(socket);
}

function parserList(server: net.Server): ParserList | null {
  const list = hiddenProperty(server, 'http.server.connections');
  if (typeof list !== 'object' || list === null) return null;
  const isIt = ['active', 'idle'].every((name) => typeof Reflect.get(list, name) === 'function');
  return isIt ? (list as ParserList) : null;
}
