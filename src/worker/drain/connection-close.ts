/**
 * Pins `Connection: close` to a response, so that the application cannot replace it. Some applications set keep-alive in every
 * response, and would keep their connections open until the drain deadline.
 */
import type { ServerResponse } from 'node:http';
import type { CloseHeader } from '../tracking/requests.ts';
import { closeLingering } from './lingering-close.ts';

/** The status of a response that switches protocols. */
const switchingProtocols = 101;

/** The methods that change headers. `setHeaders` calls them, and so does `writeHead` once there is a header. */
const headerMethods = ['setHeader', 'appendHeader', 'removeHeader'] as const;

/** Responses that carry the header, unless it was cleared again. */
const closing = new WeakSet<ServerResponse>();
/** Responses whose methods have been replaced. */
const pinned = new WeakSet<ServerResponse>();

/** Makes a response say `Connection: close`, whatever the application sets. */
export const closeHeader: CloseHeader = { set, clear };

function set(response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  closing.add(response);
  if (pinned.has(response)) return;
  pinned.add(response);
  closeLingering(response);
  for (const name of headerMethods) {
    replace(response, name, (original, args) => {
      const [header] = args;
      const isOurs = typeof header === 'string' && header.toLowerCase() === 'connection';
      return isOurs && closing.has(response) ? response : original(args);
    });
  }
  replace(response, 'writeHead', (original, args) => {
    if (args[0] === switchingProtocols) switchProtocols(response);
    return original(args.map(withoutPairs));
  });
}

function clear(response: ServerResponse): void {
  if (response.headersSent || !closing.delete(response)) return;
  response.setHeader('Connection', 'keep-alive');
}

/**
 * A connection that leaves HTTP has no further request, and its client expects this header. The application may have set it before, in vain.
 * Node.js gives such a request to the listeners for 'request' if nothing listens for 'upgrade'.
 */
function switchProtocols(response: ServerResponse): void {
  if (closing.delete(response)) response.setHeader('Connection', 'Upgrade');
}

type Method = (args: readonly unknown[]) => unknown;

function replace(
  response: ServerResponse,
  name: (typeof headerMethods)[number] | 'writeHead',
  call: (original: Method, args: readonly unknown[]) => unknown,
): void {
  // The application may have replaced the method on this response already.
  const own = Object.getOwnPropertyDescriptor(response, name)?.value as unknown;
  const original: Method = (args) => {
    // Looked up at each call, because frameworks change the prototype of a response.
    const method: unknown = own ?? Reflect.get(Object.getPrototypeOf(response) as object, name);
    return typeof method === 'function' ? (Reflect.apply(method, response, args) as unknown) : response;
  };
  Object.defineProperty(response, name, {
    value: (...args: unknown[]) => call(original, args),
    configurable: true,
    writable: true,
  });
}

/**
 * Turns headers in a list (name, value, name, value, or pairs) into an object. Once the response has a header, as it has here, Node 20
 * keeps only the last header of each name in a list.
 */
function withoutPairs(headers: unknown): unknown {
  if (!Array.isArray(headers)) return headers;
  const list: unknown[] = Array.isArray(headers[0]) ? headers.flat() : headers;
  if (list.length % 2 !== 0) return headers;
  const grouped = new Map<string, { readonly name: string; readonly values: unknown[] }>();
  for (let at = 0; at < list.length; at += 2) {
    const name: unknown = list[at];
    const value: unknown = list[at + 1];
    if (typeof name !== 'string') return headers;
    const key = name.toLowerCase();
    const group = grouped.get(key);
    if (group === undefined) grouped.set(key, { name, values: [value] });
    else group.values.push(value);
  }
  return Object.fromEntries(
    [...grouped.values()].map(({ name, values }) => [name, values.length === 1 ? values[0] : values]),
  );
}
