/**
 * Lets a server listen on a stand-in handle for a moment, and requests the address only if it still listens after that. Programs look at
 * every address of the machine to see whether a port is free (portfinder), and listen on all of them at once if they can.
 */
import { onClosed, type RawHandle } from '../node-internals/listening-handle.ts';
import { failListening, serverOf, swapHandle } from '../node-internals/server-handles.ts';
import type { Placement } from './placement.ts';

export interface TrialListenParts {
  /** A handle that the server sees listening, and that accepts nothing. */
  readonly standIn: RawHandle;
  readonly host: string;
  readonly port: number;
  readonly backlog: number;
  /** Requests the address that the server listens on. */
  readonly request: (arrived: (handle: RawHandle) => void, refused: () => void) => { cancel(): void };
  /** Called when the trial has ended: the server has closed, or the address is requested. May be called more than once. */
  readonly ended: () => void;
}

export function listenOnTrial({ standIn, host, port, backlog, request, ended }: TrialListenParts): Placement {
  let isOpen = true;
  let requested: { cancel(): void } | null = null;
  onClosed(standIn, () => {
    isOpen = false;
    ended();
    requested?.cancel();
  });
  const requestAddress = (): void => {
    const server = isOpen ? serverOf(standIn) : null;
    if (server === null) return;
    requested = request(
      (handle) => {
        requested = null;
        swapHandle(server, standIn, handle);
        standIn.close();
      },
      () => {
        requested = null;
        failListening(server, standIn, host, port);
      },
    );
    ended();
  };
  return {
    kind: 'handle',
    handle: standIn,
    backlog,
    path: null,
    listening: () => setImmediate(requestAddress),
  };
}
