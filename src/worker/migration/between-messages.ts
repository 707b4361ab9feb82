/**
 * Which HTTP/1 connections are between two messages: nothing half read, nothing half written. Asks the list that each
 * `http.Server` keeps of its parsers, which is not documented: no other file touches it. Measured on Node 20, 22, 24 and 26.
 */
import type net from 'node:net';

interface ParserList {
  idle(): readonly { readonly socket?: net.Socket }[];
}

const skipped = new WeakSet<net.Socket>();

/** The sockets of the server's parsers that wait for the first byte of a request, after an earlier one. */
export function betweenMessages(server: net.Server): ReadonlySet<net.Socket> {
  const list = parserList(server);
  const sockets = new Set<net.Socket>();
  for (const { socket } of list?.idle() ?? []) if (socket !== undefined) sockets.add(socket);
  return sockets;
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
  parser.onIncoming = () => 0;
  parser.execute(unseen);
  parser.onIncoming = onIncoming;
  skipped.add(socket);
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
  return typeof list === 'object' && list !== null && 'idle' in list && typeof list.idle === 'function'
    ? (list as ParserList)
    : null;
}
