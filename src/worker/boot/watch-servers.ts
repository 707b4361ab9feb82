/**
 * Watches every server of a managed worker: when a listen ends, and which connections and requests come. The counting of those is created
 * only when it can be needed, because until the worker is admitted its servers accept nothing.
 */
import type net from 'node:net';
import { observeServers, serverMethod } from '../node-internals/server-prototype.ts';
import type { RequestLimit } from '../tracking/requests.ts';
import { createTracking, type Tracking } from '../tracking/tracking.ts';

export interface ServerWatch {
  /** Returns the counters of connections and requests. They are created at the first call. */
  tracking(): Tracking;
  /** Call it when a server has been told to listen. `isHeldBack`: it accepts nothing before the worker is admitted. */
  track(server: net.Server, isHeldBack: boolean): void;
  /** Returns true, once, for a server that was closed by the drain and not by the application. */
  readonly takeQuietlyClosed: (server: net.Server) => boolean;
  /**
   * Calls `ended` once, in the turn after the one in which the server listens, has failed or was closed: an error that
   * the application does not handle has ended the process by then.
   */
  whenListenEnds(server: net.Server, ended: () => void): void;
}

const endsOfListen: ReadonlySet<string | symbol> = new Set(['listening', 'error', 'close']);

/** Call it before the application can replace the methods of `net.Server`. */
export function watchServers(limit: RequestLimit | null): ServerWatch {
  const close = serverMethod('close');
  let tracking: Tracking | null = null;
  /** The servers that are tracked as soon as `tracking` has been called. */
  const heldBack = new Set<net.Server>();
  const listens = new Map<net.Server, () => void>();

  function makeTracking(): Tracking {
    if (tracking !== null) return tracking;
    tracking = createTracking(close, limit);
    for (const server of heldBack) tracking.servers.track(server);
    heldBack.clear();
    return tracking;
  }

  observeServers((server, event, first) => {
    const listenEnded = listens.size > 0 && endsOfListen.has(event) ? listens.get(server) : undefined;
    if (listenEnded !== undefined) {
      listens.delete(server);
      setImmediate(listenEnded);
    }
    if (tracking !== null) tracking.noteEvent(server, event, first);
    else if (event === 'close') heldBack.delete(server);
  });

  return {
    tracking: makeTracking,
    track(server, isHeldBack) {
      if (tracking === null && isHeldBack) heldBack.add(server);
      else makeTracking().servers.track(server);
    },
    takeQuietlyClosed: (server) => tracking?.servers.takeQuietlyClosed(server) ?? false,
    whenListenEnds(server, ended) {
      const earlier = listens.get(server);
      listens.set(server, () => {
        earlier?.();
        ended();
      });
    },
  };
}
