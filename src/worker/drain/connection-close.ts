/**
 * `Connection: close` on a response, which the application cannot take back: one that says keep-alive itself, as
 * some do in every response, would keep its connections until they are cut. It must not know which response is the last.
 */
import type { ServerResponse } from 'node:http';
import { closeLingering } from './lingering-close.ts';

/** `writeHead` calls them once there is a header, and `setHeaders` always does. */
const changes = ['setHeader', 'appendHeader', 'removeHeader'] as const;

const last = new WeakSet<ServerResponse>();
const pinned = new WeakSet<ServerResponse>();

/** The response says close. */
export function sayClose(response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  last.add(response);
  if (pinned.has(response)) return;
  pinned.add(response);
  closeLingering(response);
  for (const name of changes) {
    replace(response, name, (original, args) => {
      const [header] = args;
      const isOurs = typeof header === 'string' && header.toLowerCase() === 'connection';
      return isOurs && last.has(response) ? response : original(args);
    });
  }
  replace(response, 'writeHead', (original, args) => original(args.map(withoutPairs)));
}

/** A response that was to be the last, and has not been sent, is not the last any more. */
export function takeBackClose(response: ServerResponse): void {
  if (response.headersSent || !last.delete(response)) return;
  response.setHeader('Connection', 'keep-alive');
}

type Method = (args: readonly unknown[]) => unknown;

function replace(
  response: ServerResponse,
  name: (typeof changes)[number] | 'writeHead',
  call: (original: Method, args: readonly unknown[]) => unknown,
): void {
  // The application's own, where it has replaced it before us.
  const own = Object.getOwnPropertyDescriptor(response, name)?.value as unknown;
  const original: Method = (args) => {
    // Looked up late: frameworks give a response another prototype.
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
 * Headers in a list (name, value, name, value, or pairs) as an object: Node 20 keeps only the last of those with the same name when
 * the response has a header already, as ours has.
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
