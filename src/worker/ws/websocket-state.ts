/** The state that migrates with a WebSocket. The destination checks it, because another release may have written it. */
import { IncomingMessage, type IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { readParameters, type DeflateParameters } from './compression.ts';

/** The request that the connection began with. */
export interface UpgradeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

export interface WebSocketState {
  readonly request: UpgradeRequest;
  /** The subprotocol; empty if there is none. */
  readonly protocol: string;
  /** The parameters with which messages are compressed; null if they are not compressed. */
  readonly compression: DeflateParameters | null;
  readonly binaryType: string;
  readonly isPaused: boolean;
  /** The application's own state. */
  readonly state: unknown;
}

export function readWebSocketState(value: unknown): WebSocketState | null {
  if (!isRecord(value)) return null;
  const { protocol, compression, binaryType, isPaused, state } = value;
  const request = readRequest(value['request']);
  if (request === null || typeof protocol !== 'string' || typeof binaryType !== 'string') return null;
  const parameters = compression === null ? null : readParameters(compression);
  if (parameters === null && compression !== null) return null;
  return { request, protocol, compression: parameters, binaryType, isPaused: isPaused === true, state };
}

function readRequest(value: unknown): UpgradeRequest | null {
  if (!isRecord(value)) return null;
  const { method, url, headers, rawHeaders } = value;
  if (typeof method !== 'string' || typeof url !== 'string' || !isRecord(headers)) return null;
  const isList = Array.isArray(rawHeaders) && rawHeaders.every((one) => typeof one === 'string');
  // Proven dispatch: in the source, Node.js parsed these headers.
  return isList ? { method, url, headers: headers as IncomingHttpHeaders, rawHeaders } : null;
}

/** Creates the request that listeners for 'connection' get, complete, on the socket of this process. */
export function requestOver(
  socket: Socket,
  { method, url, headers, rawHeaders }: UpgradeRequest,
): IncomingMessage {
  const request = new IncomingMessage(socket);
  Object.assign(request, { method, url, rawHeaders: [...rawHeaders], complete: true });
  Object.assign(request, { httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 });
  request.headers = { ...headers };
  return request;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
