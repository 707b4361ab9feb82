/**
 * What a worker needs when its first moments are over: the master's words about its end, and connections that move. A bundle of
 * its own (bundle.ts), with everything that drains and migrates in it. Everything is decided elsewhere.
 */
import type net from 'node:net';
import {
  killDelayMs,
  type MasterMessage,
  type OpenCounts,
  type WorkerMessage,
} from '../../shared/protocol.ts';
import type { Application } from '../api/application.ts';
import type { ListenerBindings } from '../listen/listener-bindings.ts';
import { createDraining, cutWords } from '../drain/draining.ts';
import { endGroupAtExit } from '../drain/end-group.ts';
import { adoptFrom, type AdoptionParts } from '../migration/adopt-connections.ts';
import type { Gift, GiveResult } from '../migration/give-connection.ts';
import { closeHandle, isRawHandle } from '../node-internals/listening-handle.ts';
import type { Signals } from '../process/signals.ts';
import { complain } from '../process/standard-streams.ts';
import type { Tracking } from '../tracking/tracking.ts';
import { createWord } from '../drain/drain-order.ts';

export interface ServingParts extends Tracking {
  readonly drainTimeoutMs: number;
  readonly bindings: ListenerBindings;
  readonly application: Application;
  readonly send: (message: WorkerMessage) => Promise<void>;
  /** The master is there, and hears what is sent. */
  readonly hasMaster: () => boolean;
  /** The drain has begun: nothing is to become ready any more, and SIGTERM is to be heard. */
  readonly begun: () => void;
  readonly signals: Signals;
}

/** The messages that are about its end, and about connections that move. */
export type ServingMessage = Extract<
  MasterMessage,
  { readonly type: 'drain' | 'successor' | 'predecessor' | 'pause' | 'confirmPause' | 'resume' | 'report' }
>;

export interface Serving {
  /** `handle` is what came beside the message. */
  told(message: ServingMessage, handle: unknown): void;
  masterGone(): void;
  /** Begins the drain, as the signal wants it; during one, changes nothing. */
  drain(signal: NodeJS.Signals): void;
  /** The first moments are over. */
  catchUp(): void;
  /** SIGTERM: during a drain, the master is out of patience; unless it stops, and whoever stops it has signalled all of us. */
  terminated(): void;
  /** Offers a connection of the application's own protocol. Unless it is `taken`, it stays open here. */
  give(socket: net.Socket, gift: Gift): Promise<GiveResult>;
}

/**
 * The master's drain signal can overtake its message, which waits until this worker has answered for a handle before it. The
 * master sends no other signal ahead of a message; but it may be about to get the same one, as all processes of a group do.
 */
const messageMs = { SIGQUIT: 500, other: 150 };

export function createServing(parts: ServingParts): Serving {
  const { bindings, send, application, connections, exchanges } = parts;
  const { pid } = process;
  const word = createWord(parts.drainTimeoutMs);
  let patienceMs = messageMs.SIGQUIT;

  const draining = createDraining({
    exchanges,
    connections,
    application,
    word: askWhy,
    order: () => word.order(),
    begun: () => {
      bindings.close();
      process.once('exit', tellWhatIsCut);
      parts.begun();
    },
    acceptsNoMore: () => {
      void send({ type: 'acceptsNoMore', pid });
    },
    listenerOf: (server) => bindings.nameOf(connections.handleOf(server)),
    ended: async (toll) => {
      process.off('exit', tellWhatIsCut);
      await send({ type: 'drained', pid, ...toll });
    },
    signals: parts.signals,
    killedAfterMs: () => (parts.hasMaster() ? killDelayMs : 0),
    cleanUpCut: async (what) => {
      if (parts.hasMaster()) await send({ type: 'cleanUpCut', pid, what });
      else complain(`${what} ${cutWords}`);
    },
  });

  /** The application, or an error, ends the process while it drains. */
  function tellWhatIsCut(): void {
    void send({ type: 'drained', pid, ...draining.toll() });
  }

  /** Resolves when it is known why: when the master has not asked for this drain, it is told of it, and answers. */
  async function askWhy(): Promise<void> {
    if (!parts.hasMaster()) return;
    let patience: NodeJS.Timeout | undefined;
    const passed = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, patienceMs);
    });
    await Promise.race([word.known(), passed]);
    clearTimeout(patience);
    if (word.isKnown()) return;
    void send({ type: 'drains', pid });
    await word.known();
  }

  const adoption: AdoptionParts = {
    handlers: application.adoptHandlers,
    acceptorOf: (name) => {
      const listening = bindings.acceptingOn(name);
      return listening === null ? null : connections.acceptorOn(listening);
    },
    countOn: (socket, requests) => {
      exchanges.takeOverRequests(socket, requests);
    },
    adopted: (socket) => {
      connections.adopt(socket);
    },
    isDraining: () => draining.isBegun(),
    failed: (error) => {
      complain(`a handler of adopted connections failed: ${String(error)}`);
    },
  };

  function confirmPause(): void {
    if (bindings.isPaused()) void send({ type: 'paused', pid });
    else {
      bindings.resume();
      void send({ type: 'notPaused', pid, problem: 'no copy of its listener has arrived' });
    }
  }

  function resume(): void {
    const problem = bindings.resume();
    // The master has no other generation to go back to: it is for the application's log.
    if (problem !== null) complain(`cannot accept connections again: ${problem}`);
  }

  return {
    told(message, handle) {
      switch (message.type) {
        case 'drain':
          word.said(message);
          // The signal is for those who do not hear this.
          draining.begin();
          break;
        case 'pause':
          if (draining.isBegun()) closeHandle(handle);
          else if (isRawHandle(handle)) bindings.pause(message.name, handle, connections.replaceHandle);
          break;
        case 'confirmPause':
          if (!draining.isBegun()) confirmPause();
          break;
        case 'resume':
          resume();
          break;
        case 'successor':
          draining.addSuccessor(handle, message.more);
          break;
        case 'report':
          void send({ type: 'open', pid, ...openNow(parts), isCleaningUp: draining.isCleaningUp() });
          break;
        case 'predecessor':
          if (draining.isBegun()) closeHandle(handle);
          else adoptFrom(handle, adoption);
          break;
      }
    },
    masterGone() {
      word.masterGone();
      endGroupAtExit();
      draining.begin();
    },
    drain(signal) {
      if (!draining.isBegun() && signal !== 'SIGQUIT') patienceMs = messageMs.other;
      draining.begin();
    },
    catchUp() {
      if (!draining.isBegun()) void send({ type: 'adopts', pid });
    },
    terminated() {
      draining.noteTermination();
      if (!draining.isBegun()) {
        patienceMs = messageMs.other;
        draining.begin();
        return;
      }
      // Now: the application's own listeners may end the process.
      void send({ type: 'drained', pid, ...draining.toll() });
      const { reason } = word.order();
      if (reason !== 'stop' && reason !== 'signal') draining.hurry();
    },
    give: (socket, gift) => draining.give(socket, gift),
  };
}

/** What the master shows of a drain that lasts. */
function openNow({ connections, exchanges }: Tracking): Omit<OpenCounts, 'isCleaningUp'> {
  const requests = connections.http1().filter(({ socket }) => exchanges.isInFlight(socket)).length;
  return { requests, connections: connections.open().length };
}
