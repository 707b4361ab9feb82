/**
 * permessage-deflate (RFC 7692) of a WebSocket that moves. With context takeover each message is compressed with what the ones
 * before it have left in zlib, on both sides, and nobody can take that out: such a connection stays. Without it, the parameters
 * are everything that there is to know.
 */
import type { WebSocket } from 'ws';
import { deflateOf } from './ws-internals.ts';

const extension = 'permessage-deflate';

/** What was agreed on, as RFC 7692 names it. */
export type DeflateParameters = Readonly<Record<string, boolean | number>>;

/** Null: not compressed. `bound`: the compression cannot move. */
export function compressionOf(ws: WebSocket): DeflateParameters | 'bound' | null {
  if (ws.extensions === '') return null;
  const parameters = readParameters(deflateOf(ws));
  if (parameters === null) return 'bound';
  const { server_no_context_takeover: isServerFree, client_no_context_takeover: isClientFree } = parameters;
  return isServerFree === true && isClientFree === true ? parameters : 'bound';
}

export function readParameters(value: unknown): DeflateParameters | null {
  if (!isObject(value)) return null;
  const entries = Object.entries(value);
  const isFit = entries.every(([, one]) => typeof one === 'boolean' || typeof one === 'number');
  return isFit ? Object.fromEntries(entries) : null;
}

/** The header that asks for these parameters. */
export function offerOf(parameters: DeflateParameters): string {
  // The client said that it can be told; which number, the server's options say.
  return 'client_max_window_bits' in parameters ? `${extension}; client_max_window_bits` : extension;
}

/** The options with which a server agrees to these parameters, and to nothing else. */
export function deflateOptions(own: unknown, parameters: DeflateParameters): object {
  return {
    ...(isObject(own) ? own : {}),
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: parameters['server_max_window_bits'],
    clientMaxWindowBits: parameters['client_max_window_bits'],
  };
}

/** Are these the same? */
export function agrees(ws: WebSocket, parameters: DeflateParameters | null): boolean {
  const found = compressionOf(ws);
  if (found === null || parameters === null) return found === parameters;
  if (found === 'bound') return false;
  const names = [...new Set([...Object.keys(found), ...Object.keys(parameters)])];
  return names.every((name) => found[name] === parameters[name]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
