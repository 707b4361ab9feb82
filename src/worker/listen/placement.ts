/** The result of a call of `server.listen()`: decided by listener-bindings.ts, carried out by intercept-listen.ts. Pure. */
import type { RawHandle } from '../node-internals/listening-handle.ts';

export type Placement =
  /** Node.js binds, as without graceful-run. `isOutside`: the address is not declared. */
  | { readonly kind: 'passThrough'; readonly isOutside: boolean }
  /** Node.js binds, with these arguments instead of the caller's. */
  | { readonly kind: 'instead'; readonly args: readonly unknown[] }
  | {
      readonly kind: 'handle';
      readonly handle: RawHandle;
      readonly backlog: number;
      /** For a UNIX socket, what `server.address()` returns; null if the handle knows it. */
      readonly path: string | null;
      /** Called after the application's own 'listening' listeners. */
      readonly listening?: () => void;
    }
  | LaterPlacement;

/** A placement whose handle arrives later, unless `cancel` is called first. */
interface LaterPlacement {
  readonly kind: 'later';
  readonly backlog: number;
  readonly path: string | null;
  readonly listening: () => void;
  /** The address that `server.address()` returns until then; null if it returns none, as in Node.js while it looks up a name. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** Requests the handle. `refused` is called if there is none: Node.js then binds with these arguments. */
  readonly request: (
    arrived: (handle: RawHandle) => void,
    refused: (args: readonly unknown[]) => void,
  ) => { readonly cancel: () => void };
}

export const passThrough: Placement = { kind: 'passThrough', isOutside: false };

export const passThroughOutside: Placement = { kind: 'passThrough', isOutside: true };

/** Lets Node.js bind the address, so that the application gets the kernel's own answer. */
export function bindByNode(port: number, host: string | null, isIPv6Only: boolean): Placement {
  return { kind: 'instead', args: [listenOptions(port, host, isIPv6Only)] };
}

/** Returns the options of `server.listen()` for the address. */
export function listenOptions(port: number, host: string | null, isIPv6Only: boolean): object {
  return { port, ...(host === null ? {} : { host }), ...(isIPv6Only ? { ipv6Only: true } : {}) };
}
