/**
 * What a managed worker does after admission: drains, adopts and hands over connections, and pauses accepting. Also runs earlier if a drain
 * begins before admission. A bundle of its own (bundle.ts), so that no boot waits until it is compiled.
 */
import type net from 'node:net';
import { killDelayMs, type MasterMessage, type WorkerMessage } from '../../shared/protocol.ts';
import type { Application } from '../api/application.ts';
import type { ListenerBindings } from '../listen/listener-bindings.ts';
import { createPauses } from '../listen/pauses.ts';
import { complainOfCut } from '../drain/clean-up.ts';
import { createDrain } from '../drain/drain.ts';
import { type DrainReport, openCounts } from '../drain/drain-report.ts';
import { endGroupAtExit } from '../drain/end-group.ts';
import { adoptFrom, type AdoptionParts } from '../migration/adopt-connections.ts';
import type { MigrationRequest, MigrationResult } from '../migration/migrate-custom-protocol.ts';
import { closeHandle, isRawHandle } from '../node-internals/listening-handle.ts';
import type { Signals } from '../process/signals.ts';
import { complain } from '../process/standard-streams.ts';
import { createLoadMeter } from '../tracking/load-meter.ts';
import type { Tracking } from '../tracking/tracking.ts';
import { awaitOrder } from '../drain/drain-order.ts';
import type * as hangLocator from '../health/hang-locator.ts';

export interface AfterAdmissionParts {
  readonly tracking: Tracking;
  /** The worker's place among the program's workers, from 0. */
  readonly slot: number;
  readonly drainTimeoutMs: number;
  /** How long the worker goes on serving if its master is killed now, in ms. */
  readonly rescueMs: () => number;
  readonly bindings: ListenerBindings;
  readonly application: Application;
  readonly send: (message: WorkerMessage) => Promise<void>;
  /** True while the master is connected and receives what is sent. */
  readonly hasMaster: () => boolean;
  /** Called when the drain begins: from then on the worker does not become ready, and has to catch SIGTERM. */
  readonly begun: () => void;
  readonly signals: Signals;
  /** Opens the bundle of the hang locator. Throws if its file no longer exists. */
  readonly openHangLocator: () => typeof hangLocator;
}

/** The master's messages about draining, migration and pauses, and its questions about this worker. */
export type AfterAdmissionMessage = Extract<
  MasterMessage,
  {
    readonly type:
      | 'drain'
      | 'destination'
      | 'source'
      | 'pause'
      | 'confirmPause'
      | 'resume'
      | 'report'
      | 'ping'
      | 'hangLocator';
  }
>;

export interface AfterAdmission {
  /** Handles a message. `handle` is the handle that arrived with it. */
  receive(message: AfterAdmissionMessage, handle: unknown): void;
  /** Called when the master was killed. The worker goes on serving for a while, until the next master has taken over. */
  masterGone(): void;
  /** Begins the drain because of the signal. If the worker already drains, nothing changes. */
  drain(signal: NodeJS.Signals): void;
  /** Tells the master that this worker takes connections from draining workers from now on. */
  startAdopting(): void;
  /**
   * Handles SIGTERM: begins the drain, or if the worker already drains, makes the drain hurry, because the drain timeout has passed. In a stop it
   * does not hurry: there the signal may be the one that stopped the master, sent to the whole process group.
   */
  terminated(): void;
  /** Hands over a connection of a custom protocol. It stays open in this worker unless the result is `taken`. */
  migrate(socket: net.Socket, request: MigrationRequest): Promise<MigrationResult>;
}

export function createAfterAdmission(parts: AfterAdmissionParts): AfterAdmission {
  const { bindings, send, application, tracking } = parts;
  const { servers, connections, requests } = tracking;
  const { pid } = process;
  const meter = createLoadMeter();
  const pauses = createPauses({
    gate: bindings,
    send: (message) => {
      void send(message);
    },
    cannotResume: (problem) => {
      complain(`cannot accept connections again: ${problem}`);
    },
  });
  const order = awaitOrder(parts.drainTimeoutMs, {
    isThere: parts.hasMaster,
    tell: () => {
      void send({ type: 'drains', pid });
    },
  });

  const drain = createDrain({
    tracking,
    datagrams: bindings.datagrams,
    application,
    order,
    slot: parts.slot,
    orderKnown: () => {
      bindings.close();
      process.once('exit', tellWhatIsCut);
      parts.begun();
    },
    acceptsNoMore: () => {
      void send({ type: 'acceptsNoMore', pid });
    },
    listenerOf: (server, socket) => bindings.nameOf(servers.handleOf(server), () => socket.localAddress),
    ended: async (report) => {
      process.off('exit', tellWhatIsCut);
      await tellResult(report);
    },
    signals: parts.signals,
    killedAfterMs: () => (parts.hasMaster() ? killDelayMs : 0),
    cleanUpCut: async (what) => {
      if (parts.hasMaster()) await send({ type: 'cleanUpCut', pid, what });
      else complainOfCut(what);
    },
  });

  async function tellResult(report: DrainReport): Promise<void> {
    await send({ type: 'drained', pid, ...report, serverErrors: meter.serverErrors() });
  }

  /** Reports the drain if the application, or an error, ends the process before the drain is over. */
  function tellWhatIsCut(): void {
    void tellResult(drain.reportNow());
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

  function tellOpen(): void {
    const open = openCounts(tracking);
    const served = requests.served() - open.requests;
    const load = { served, serverErrors: meter.serverErrors(), eventLoop: meter.eventLoop() };
    void send({ type: 'open', pid, ...open, isCleaningUp: drain.isCleaningUp(), load });
  }

  /** Starts the thread that locates a hang. If that fails, the master can notice that a worker hangs, but not where. */
  function startHangLocator(handle: unknown): void {
    try {
      parts.openHangLocator().startHangLocator(handle);
    } catch {
      closeHandle(handle);
    }
  }

  /** Drains without a master. If the worker drains already, nothing changes. */
  function drainAlone(): void {
    order.masterGone();
    drain.begin();
  }

  return {
    receive(message, handle) {
      switch (message.type) {
        case 'drain':
          order.receive(message);
          // The drain does not wait for the drain signal, which is for programs without this channel.
          drain.begin();
          break;
        case 'pause':
          if (drain.isBegun()) closeHandle(handle);
          else {
            bindings.pause(message.name, isRawHandle(handle) ? handle : null, servers.replaceHandle);
            pauses.paused(message.forMs);
          }
          break;
        case 'confirmPause':
          if (!drain.isBegun()) pauses.confirm();
          break;
        case 'resume':
          pauses.resume();
          break;
        case 'destination':
          drain.addDestination(handle, message.more);
          break;
        case 'report':
          tellOpen();
          break;
        case 'ping':
          void send({ type: 'alive', pid });
          break;
        case 'hangLocator':
          startHangLocator(handle);
          break;
        case 'source':
          if (drain.isBegun()) closeHandle(handle);
          else adoptFrom(handle, adoption);
          break;
      }
    },
    masterGone() {
      endGroupAtExit();
      const serveMs = parts.rescueMs();
      // One that is paused for a moment accepts again by itself. Any other one that is paused stands back for workers that accept.
      const accepts = !bindings.isPaused() || pauses.isBrief();
      if (serveMs === 0 || drain.isBegun() || !accepts) drainAlone();
      // The next master tells it to drain by a signal.
      else setTimeout(drainAlone, serveMs).unref();
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
      // Reported before the application's own listeners run, because they may end the process.
      void tellResult(drain.reportNow());
      const { reason } = order.current();
      if (reason !== 'stop' && reason !== 'signal') drain.reachDeadline();
    },
    migrate: (socket, request) => drain.migrate(socket, request),
  };
}
