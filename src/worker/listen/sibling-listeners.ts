/**
 * A declared listener may have several sockets, as `localhost` has one for 127.0.0.1 and one for ::1. A program that knows nothing of this
 * listens once, and its server gets one of them: here it accepts on the others as well. A bundle of its own (bundle.ts).
 */
import type { RawHandle } from '../node-internals/listening-handle.ts';
import { siblingsOf, type Binding } from './binding.ts';

export interface SiblingListenersParts {
  readonly bindings: readonly Binding[];
  /** Opens a handle over an inherited descriptor; null if that is not possible. */
  readonly open: (fd: number) => RawHandle | null;
  /** Makes the handle the handle of the binding. */
  readonly hold: (binding: Binding, handle: RawHandle) => void;
  readonly requestCopy: (binding: Binding, arrived: (handle: RawHandle) => void) => void;
  /** Gives a connection to the server that listens with the handle. */
  readonly acceptFor: (listening: RawHandle, accepted: object) => void;
}

export interface SiblingListeners {
  /** Accepts on every socket on which no server listens, if a server listens on a sibling of it. Call it only while servers may accept. */
  serve(): void;
  /** Replaces the handle that a sibling's server accepts on by another copy of the listener. */
  replace(binding: Binding, fresh: RawHandle): void;
}

export function createSiblingListeners(parts: SiblingListenersParts): SiblingListeners {
  const { bindings, open, hold, requestCopy, acceptFor } = parts;

  function take(binding: Binding, handle: RawHandle): void {
    hold(binding, handle);
    handle.onconnection = (status, accepted) => {
      const server = binding.servedBy?.handle ?? null;
      if (status === 0 && server !== null) acceptFor(server, accepted);
    };
    // Unref'd, because the handle of the server decides whether the process stays alive.
    handle.unref();
  }

  function accept(binding: Binding, by: Binding, handle: RawHandle): void {
    binding.servedBy = by;
    take(binding, handle);
    handle.listen(binding.listener.backlog);
  }

  return {
    serve() {
      for (const binding of bindings) {
        if (binding.state !== 'inherited' && binding.state !== 'closed') continue;
        const by = siblingsOf(binding, bindings).find(
          ({ state, servedBy }) => state === 'held' && servedBy === null,
        );
        if (by === undefined) continue;
        if (binding.state === 'closed')
          requestCopy(binding, (handle) => {
            if (by.state === 'held') accept(binding, by, handle);
            else {
              binding.state = 'closed';
              handle.close();
            }
          });
        else {
          const handle = open(binding.listener.fd);
          if (handle !== null) accept(binding, by, handle);
        }
      }
    },
    replace(binding, fresh) {
      const before = binding.handle;
      take(binding, fresh);
      before?.close();
    },
  };
}
