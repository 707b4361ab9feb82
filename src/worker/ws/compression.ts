/**
 * Decides whether the permessage-deflate (RFC 7692) of a WebSocket can migrate, and negotiates the same parameters in the destination.
 * With context takeover, each message is compressed with the window that earlier messages left in zlib, which cannot be read out: such
 * a connection stays. Without it, the parameters are the whole state.
 */
import type { WebSocket } from 'ws';
import { deflateOf } from './ws-internals.ts';

const extension = 'permessage-deflate';

/** The negotiated parameters, with their names in RFC 7692. */
export type DeflateParameters = Readonly<Record<string, boolean | number>>;

/** Returns the parameters with which messages are compressed; null if they are not compressed, `bound` if the compression cannot migrate. */
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

/** Returns the header with which a client asks for these parameters. */
export function offerOf(parameters: DeflateParameters): string {
  // The client only says that it accepts a limit; the server's options have the number.
  return 'client_max_window_bits' in parameters ? `${extension}; client_max_window_bits` : extension;
}

/** Returns the server's options, changed so that it agrees to these parameters only. */
export function deflateOptions(own: unknown, parameters: DeflateParameters): object {
  return {
    ...(isObject(own) ? own : {}),
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: parameters['server_max_window_bits'],
    clientMaxWindowBits: parameters['client_max_window_bits'],
  };
}

/** True if the WebSocket has negotiated exactly these parameters. */
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
