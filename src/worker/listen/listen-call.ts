/**
 * Reads what a call of `server.listen(…)` asks for, in every form that Node.js documents. Pure. A call that is invalid, or of an unknown
 * form, is `other` and goes to Node.js unchanged, which throws as usual.
 */
import { isRecord } from '../../shared/protocol.ts';

export type ListenTarget =
  /** A TCP address. `host` null: no host was given. `port` 0: any free port. */
  | {
      readonly kind: 'tcp';
      readonly host: string | null;
      readonly port: number;
      readonly isIPv6Only: boolean;
    }
  | { readonly kind: 'fd'; readonly fd: number }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'other' };

export interface ListenCall {
  readonly target: ListenTarget;
  readonly signal: AbortSignal | null;
  readonly callback: ((...args: unknown[]) => unknown) | null;
}

export function readListenCall(args: readonly unknown[]): ListenCall {
  const last = args.at(-1);
  const callback = isFunction(last) ? last : null;
  const [first, second] = args;
  const plain = (target: ListenTarget): ListenCall => ({ target, signal: null, callback });

  if (isRecord(first)) return readOptions(first, callback);
  if (args.length === 0 || first === undefined || first === null || isFunction(first)) {
    return plain(tcp(0, typeof second === 'string' ? second : null));
  }
  if (typeof first === 'string' && !(Number(first) >= 0)) return plain({ kind: 'path', path: first });
  return plain(tcp(first, typeof second === 'string' ? second : null));
}

function readOptions(
  options: Readonly<Record<string, unknown>>,
  callback: ListenCall['callback'],
): ListenCall {
  const signal = readSignal(options);
  if (signal === 'invalid') return { target: { kind: 'other' }, signal: null, callback };
  return { target: optionsTarget(options), signal, callback };
}

function optionsTarget(options: Readonly<Record<string, unknown>>): ListenTarget {
  const read = (name: string): unknown => Reflect.get(options, name);
  // The argument is a handle, or an object that has one (a server, a socket). Node.js looks at these properties first, too.
  if (read('_handle') || read('handle') || isFunction(read('getsockname'))) return { kind: 'other' };
  const fd = read('fd');
  if (typeof fd === 'number' && fd >= 0) return { kind: 'fd', fd };
  const port = read('port');
  const host = read('host');
  if (host !== undefined && host !== null && typeof host !== 'string') return { kind: 'other' };
  const isIPv6Only = Boolean(read('ipv6Only'));
  if (port === null || ('port' in options && port === undefined)) return tcp(0, host || null, isIPv6Only);
  if (port !== undefined) return tcp(port, host || null, isIPv6Only);
  const path = read('path');
  return typeof path === 'string' && path !== '' ? { kind: 'path', path } : { kind: 'other' };
}

/** Reads a port as Node.js does: a whole number below 65536, or the text of one. */
function tcp(port: unknown, host: string | null, isIPv6Only = false): ListenTarget {
  const isText = typeof port === 'string' && port.trim() !== '';
  if (typeof port !== 'number' && !isText) return { kind: 'other' };
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) return { kind: 'other' };
  return { kind: 'tcp', host: host === '' ? null : host, port: number, isIPv6Only };
}

function readSignal(options: object): AbortSignal | 'invalid' | null {
  if (!('signal' in options) || options.signal === undefined) return null;
  return isAbortSignal(options.signal) ? options.signal : 'invalid';
}

function isAbortSignal(value: unknown): value is AbortSignal {
  return isRecord(value) && 'aborted' in value && 'addEventListener' in value;
}

function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}
