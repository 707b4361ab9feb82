/**
 * What a worker needs when its first moments are over: the master's words about its end, and connections that move. A bundle of
 * its own (bundle.ts), with everything that drains and migrates in it. Everything is decided elsewhere.
 */
import type net from 'node:net';
import { killDelayMs, type MasterMessage, type WorkerMessage } from '../../shared/protocol.ts';
import type { Application } from '../api/application.ts';
import type { ListenerBindings } from '../listen/listener-bindings.ts';
import { complainOfCut } from '../drain/clean-up.ts';
import { createDrain } from '../drain/drain.ts';
import { openCounts } from '../drain/drain-report.ts';
import { endGroupAtExit } from '../drain/end-group.ts';
import { adoptFrom, type AdoptionParts } from '../migration/adopt-connections.ts';
import type { Gift, GiveResult } from '../migration/give-connection.ts';
import { closeHandle, isRawHandle } from '../node-internals/listening-handle.ts';
import type { Signals } from '../process/signals.ts';
import { complain } from '../process/standard-streams.ts';
import type { Tracking } from '../tracking/tracking.ts';
import { awaitOrder } from '../drain/drain-order.ts';

export interface AfterAdmissionParts {
  readonly tracking: Tracking;
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
export type AfterAdmissionMessage = Extract<
  MasterMessage,
  { readonly type: 'drain' | 'successor' | 'predecessor' | 'pause' | 'confirmPause' | 'resume' | 'report' }
>;

export interface AfterAdmission {
  /** `handle` is what came beside the message. */
  receive(message: AfterAdmissionMessage, handle: unknown): void;
  masterGone(): void;
  /** Begins the drain, as the signal wants it; during one, changes nothing. */
  drain(signal: NodeJS.Signals): void;
  /** The first moments are over. */
  startAdopting(): void;
  /** SIGTERM: during a drain, the master is out of patience; unless it stops, and whoever stops it has signalled all of us. */
  terminated(): void;
  /** Offers a connection of the application's own protocol. Unless it is `taken`, it stays open here. */
  give(socket: net.Socket, gift: Gift): Promise<GiveResult>;
}

export function createAfterAdmission(parts: AfterAdmissionParts): AfterAdmission {
  const { bindings, send, application, tracking } = parts;
  const { servers, connections, requests } = tracking;
  const { pid } = process;
  const order = awaitOrder(parts.drainTimeoutMs, {
    isThere: parts.hasMaster,
    tell: () => {
      void send({ type: 'drains', pid });
    },
  });

  const drain = createDrain({
    tracking,
    application,
    order,
    orderKnown: () => {
      bindings.close();
      process.once('exit', tellWhatIsCut);
      parts.begun();
    },
    acceptsNoMore: () => {
      void send({ type: 'acceptsNoMore', pid });
    },
    listenerOf: (server) => bindings.nameOf(servers.handleOf(server)),
    ended: async (report) => {
      process.off('exit', tellWhatIsCut);
      await send({ type: 'drained', pid, ...report });
    },
    signals: parts.signals,
    killedAfterMs: () => (parts.hasMaster() ? killDelayMs : 0),
    cleanUpCut: async (what) => {
      if (parts.hasMaster()) await send({ type: 'cleanUpCut', pid, what });
      else complainOfCut(what);
    },
  });

  /** The application, or an error, ends the process while it drains. */
  function tellWhatIsCut(): void {
    void send({ type: 'drained', pid, ...drain.reportNow() });
  }

  const adoption: AdoptionParts = {
    handlers: application.adoptHandlers,
    acceptorOf: (name) => {
      const listening = bindings.acceptingOn(name);
      return listening === null ? null : connections.acceptorOn(listening);
    },
    countOn: (socket, count) => {
      requests.takeOverRequests(socket, count);
    },
    adopted: (socket) => {
      connections.adopt(socket);
    },
    isDraining: () => drain.isBegun(),
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
    receive(message, handle) {
      switch (message.type) {
        case 'drain':
          order.receive(message);
          // The signal is for those who do not hear this.
          drain.begin();
          break;
        case 'pause':
          if (drain.isBegun()) closeHandle(handle);
          else if (isRawHandle(handle)) bindings.pause(message.name, handle, servers.replaceHandle);
          break;
        case 'confirmPause':
          if (!drain.isBegun()) confirmPause();
          break;
        case 'resume':
          resume();
          break;
        case 'successor':
          drain.addSuccessor(handle, message.more);
          break;
        case 'report':
          void send({ type: 'open', pid, ...openCounts(tracking), isCleaningUp: drain.isCleaningUp() });
          break;
        case 'predecessor':
          if (drain.isBegun()) closeHandle(handle);
          else adoptFrom(handle, adoption);
          break;
      }
    },
    masterGone() {
      order.masterGone();
      endGroupAtExit();
      drain.begin();
    },
    drain(signal) {
      if (!drain.isBegun() && signal !== 'SIGQUIT') order.askSooner();
      drain.begin();
    },
    startAdopting() {
      if (!drain.isBegun()) void send({ type: 'adopts', pid });
    },
    terminated() {
      drain.terminated();
      if (!drain.isBegun()) {
        order.askSooner();
        drain.begin();
        return;
      }
      // Now: the application's own listeners may end the process.
      void send({ type: 'drained', pid, ...drain.reportNow() });
      const { reason } = order.current();
      if (reason !== 'stop' && reason !== 'signal') drain.reachDeadline();
    },
    give: (socket, gift) => drain.give(socket, gift),
  };
}
