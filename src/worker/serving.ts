/**
 * What a worker needs from the moment on in which it may be let in: what it tracks while it serves, the master's words about its
 * end and about connections that move. Made while the master reads that the worker is ready, so that no boot waits for it.
 * Everything is decided elsewhere.
 */
import type { MasterMessage, WorkerMessage } from '../shared/protocol.ts';
import type { Claims } from './claims.ts';
import { createDraining, type Draining } from './draining.ts';
import { firstMomentsMs } from './first-moments.ts';
import type { keepListening } from './keep-listening.ts';
import { loadLater } from './load-later.ts';
import type { AdoptHandler, AdoptionParts } from './migration/adoption.ts';
import { closeHandle } from './raw-handle.ts';
import type { ServerMethod } from './server-methods.ts';
import { complain, surviveBrokenPipes } from './standard-streams.ts';
import { createWord } from './word.ts';

export interface ServingParts {
  readonly drainTimeoutMs: number;
  readonly claims: Claims;
  /** As in server-methods.ts, from before the application was loaded. */
  readonly close: ServerMethod;
  readonly send: (message: WorkerMessage) => Promise<void>;
  readonly keepListening: typeof keepListening;
  /** The drain has begun: nothing is to become ready any more. */
  readonly begun: () => void;
  /** Our listener of the drain signal, among the application's. */
  readonly drainListener: () => void;
}

/** The messages that are about serving. */
export type ServingMessage = Extract<
  MasterMessage,
  { readonly type: 'admit' | 'drain' | 'successor' | 'predecessor' }
>;

export interface Serving {
  readonly draining: Draining;
  /** `handle` is what came beside the message. */
  told(message: ServingMessage, handle: unknown): void;
  masterGone(): void;
  onAdopt(name: string, handler: AdoptHandler): void;
}

export function createServing(parts: ServingParts): Serving {
  const { claims, send } = parts;
  const { pid } = process;
  const word = createWord(parts.drainTimeoutMs);

  /** During a drain, the master is out of patience; unless it stops, and whoever stops it has signalled all of us. */
  const terminated = (): void => {
    draining.noteTermination();
    if (!draining.isBegun()) {
      draining.begin();
      return;
    }
    // Now: the application's own listeners may end the process.
    const toll = draining.toll();
    if (toll !== null) void send({ type: 'drained', pid, ...toll });
    const { reason } = word.order();
    if (reason !== 'stop' && reason !== 'signal') draining.hurry();
  };

  let isListening = false;
  const listenForTermination = (): void => {
    if (isListening) return;
    isListening = true;
    parts.keepListening('SIGTERM', terminated);
  };

  const draining = createDraining({
    close: parts.close,
    later: loadLater,
    word: () => (process.connected ? word.known() : Promise.resolve()),
    order: () => word.order(),
    begun: () => {
      claims.close();
      parts.begun();
      listenForTermination();
    },
    acceptsNoMore: () => {
      void send({ type: 'acceptsNoMore', pid });
    },
    listenerOf: (server) => claims.nameOf(draining.connections.handleOf(server)),
    ended: (toll) => send({ type: 'drained', pid, ...toll }),
    cleanUpSignals: ['SIGTERM', 'SIGQUIT'],
    isOurs: (listener) => listener === terminated || listener === parts.drainListener,
  });

  let hasCaughtUp = false;
  /** Ends of pipes to workers that drain, not opened yet. */
  const predecessors: unknown[] = [];

  /**
   * From now on broken pipes are survived, should the master go without a word, and SIGTERM, should somebody send it to everybody, as
   * systemd does by default; the package may be replaced on disk; and connections come from other workers.
   */
  const catchUp = (): void => {
    hasCaughtUp = true;
    surviveBrokenPipes();
    listenForTermination();
    loadLater();
    for (const end of predecessors.splice(0)) {
      if (draining.isBegun()) closeHandle(end);
      else adoptFrom(end);
    }
  };

  const adoptHandlers = new Map<string, AdoptHandler>();
  const adoption: AdoptionParts = {
    handlers: adoptHandlers,
    acceptorOf: (name) => {
      const listening = claims.acceptingOn(name);
      return listening === null ? null : draining.connections.acceptorOn(listening);
    },
    adopted: (socket) => {
      draining.connections.adopt(socket);
    },
    isDraining: () => draining.isBegun(),
    failed: (error) => {
      complain(`a handler of adopted connections failed: ${String(error)}`);
    },
  };

  const adoptFrom = (end: unknown): void => {
    const later = loadLater();
    if (later === null) closeHandle(end);
    else later.adoptFrom(end, adoption);
  };

  return {
    draining,
    told(message, handle) {
      switch (message.type) {
        case 'admit':
          claims.admit();
          // Neither at boot nor now, when the first client waits: it costs some milliseconds.
          setTimeout(catchUp, firstMomentsMs).unref();
          break;
        case 'drain':
          word.said(message);
          // The signal is for those who do not hear this.
          draining.begin();
          break;
        case 'successor':
          draining.addSuccessor(handle, message.more);
          break;
        case 'predecessor':
          if (hasCaughtUp) adoptFrom(handle);
          else predecessors.push(handle);
          break;
      }
    },
    masterGone() {
      word.masterGone();
      surviveBrokenPipes();
      draining.begin();
    },
    onAdopt(name, handler) {
      adoptHandlers.set(name, handler);
    },
  };
}
