/**
 * Which HTTP/1 connections are between two messages: nothing half read, nothing half written. Asks the list that each
 * `http.Server` keeps of its parsers, which is not documented: no other file touches it. Measured on Node 20, 22, 24 and 26.
 */
import type net from 'node:net';

interface ParserList {
  /** Those that are in a message, or wait for their first one. */
  active(): readonly Parsing[];
  /** Those that wait for the next one. */
  idle(): readonly Parsing[];
}

interface Parsing {
  readonly socket?: net.Socket;
}

const skipped = new WeakSet<net.Socket>();

/** Answers it for the connections of one server, as they are now. */
export type IsBetween = (socket: net.Socket) => boolean;

/** Does its parser wait for the first byte of a request, after an earlier one? Costs as much as there are connections. */
export function betweenMessages(server: net.Server): IsBetween {
  const all = new Set(allBetweenMessages(server));
  return (socket) => all.has(socket);
}

/**
 * The same, for connections that have just answered. Costs as much as are in a message, however many are not. Not for others:
 * Node.js forgets here a message that has taken too long, whatever the application makes of it.
 */
export function betweenMessagesAgain(server: net.Server): IsBetween {
  const list = parserList(server);
  if (list === null) return () => false;
  const busy = new Set(list.active().map(({ socket }) => socket));
  return (socket) => !busy.has(socket);
}

/** All of those, of one server. Costs as much as there are. */
export function allBetweenMessages(server: net.Server): readonly net.Socket[] {
  return (
    parserList(server)
      ?.idle()
      .flatMap(({ socket }) => socket ?? []) ?? []
  );
}

/** Is there an HTTP/1 parser on the connection? Not over TLS, not any more after an upgrade. */
export function hasParser(socket: net.Socket): boolean {
  const parser: unknown = Reflect.get(socket, 'parser');
  return typeof parser === 'object' && parser !== null;
}

/** A whole request, to be parsed and never seen by anybody. */
const unseen = Buffer.from('GET / HTTP/1.1\r\n\r\n');

interface Parser {
  onIncoming: (...args: unknown[]) => unknown;
  execute(bytes: Buffer): unknown;
}

/**
 * Puts the parser of a connection that was adopted where it was in the other worker: after a message. Otherwise the server
 * would measure how long the first request takes, and answer 408 to a client that has never been asked to hurry.
 */
export function skipFirstMessage(socket: net.Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (!isParser(parser)) return;
  const { onIncoming } = parser;
  parser.onIncoming = ignore;
  // Without these two nothing is made of the message: it costs a tenth. Should they be missing, it is made and ignored.
  const callbacks = callbacksOf(parser);
  for (const [index] of callbacks) Reflect.set(parser, index, undefined);
  parser.execute(unseen);
  for (const [index, callback] of callbacks) Reflect.set(parser, index, callback);
  parser.onIncoming = onIncoming;
  skipped.add(socket);
}

const ignore = (): number => 0;

/** What the parser calls when a head, and a message, has ended; it has them under the numbers that its class says. */
function callbacksOf(parser: Parser): readonly (readonly [index: number, callback: unknown])[] {
  return ['kOnHeadersComplete', 'kOnMessageComplete'].flatMap((name) => {
    const index: unknown = Reflect.get(parser.constructor, name);
    return typeof index === 'number' ? [[index, Reflect.get(parser, index) as unknown] as const] : [];
  });
}

/** Calls back when the head of its next request has come, before anybody else hears of it. */
export function whenNextRequestCame(socket: net.Socket, came: () => void): void {
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

/** Was it adopted after a message? */
export function hasSkipped(socket: net.Socket): boolean {
  return skipped.has(socket);
}

function parserList(server: net.Server): ParserList | null {
  const symbol = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'http.server.connections',
  );
  const list: unknown = symbol === undefined ? null : Reflect.get(server, symbol);
  if (typeof list !== 'object' || list === null) return null;
  const isIt = ['active', 'idle'].every((name) => typeof Reflect.get(list, name) === 'function');
  return isIt ? (list as ParserList) : null;
}
