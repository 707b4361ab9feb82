/**
 * What happens to a call of `server.listen()`: decided by listener-bindings.ts, carried out by
 * intercept-listen.ts. Pure.
 */
import type { RawHandle } from '../node-internals/listening-handle.ts';

export type Placement =
  /** Node.js binds, as without graceful-run. `isOutside`: on an address that is not declared. */
  | { readonly kind: 'passThrough'; readonly isOutside: boolean }
  /** Node.js binds, with these arguments instead of the caller's. */
  | { readonly kind: 'instead'; readonly args: readonly unknown[] }
  | {
      readonly kind: 'handle';
      readonly handle: RawHandle;
      readonly backlog: number;
      /** Of a UNIX socket: what `server.address()` returns; null: its handle knows. */
      readonly path: string | null;
      /** Called after the application's own 'listening' listeners. */
      readonly listening?: () => void;
    }
  | LaterPlacement;

/** The handle arrives later, unless `cancel` is called first. */
interface LaterPlacement {
  readonly kind: 'later';
  readonly backlog: number;
  readonly path: string | null;
  readonly listening: () => void;
  /** What `server.address()` returns until then; null: nothing, as in Node.js while it looks up a name. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** `refused`: there is no handle, and Node.js binds with these arguments instead. */
  readonly request: (
    arrived: (handle: RawHandle) => void,
    refused: (args: readonly unknown[]) => void,
  ) => { readonly cancel: () => void };
}

export const passThrough: Placement = { kind: 'passThrough', isOutside: false };

export const passThroughOutside: Placement = { kind: 'passThrough', isOutside: true };

/** Node.js binds the address, so that the application gets the kernel's own answer. */
export function bindByNode(port: number, host: string | null, isIPv6Only: boolean): Placement {
  return { kind: 'instead', args: [listenOptions(port, host, isIPv6Only)] };
}

/** The options of `server.listen()` for the address. */
export function listenOptions(port: number, host: string | null, isIPv6Only: boolean): object {
  return { port, ...(host === null ? {} : { host }), ...(isIPv6Only ? { ipv6Only: true } : {}) };
}
