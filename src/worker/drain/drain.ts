/**
 * The drain of this worker, the same with a master and without, in the order in which it happens: begin, learn the order, stop
 * accepting, let requests finish and connections move, cut what is left at the deadline, run the hooks and the clean-up, exit.
 */
import type net from 'node:net';
import type { Application } from '../api/application.ts';
import type { DrainContext } from '../api/drain-hooks.ts';
import type { Datagrams } from '../listen/datagram-sockets.ts';
import type { MigrationRequest, MigrationResult } from '../migration/migrate-custom-protocol.ts';
import { createMigration } from '../migration/migration.ts';
import { monotonicMs } from '../../shared/clock.ts';
import { nextTurn } from '../process/next-turn.ts';
import { complain, described } from '../process/standard-streams.ts';
import type { Tracking } from '../tracking/tracking.ts';
import { cleanUpAndExit, deadlineToleranceMs, type CleanUp } from './clean-up.ts';
import { closeWebSocketsOver } from './close-websockets.ts';
import { closeHeader } from './connection-close.ts';
import { cutConnections } from './cut-connections.ts';
import { createDeadline, endsWithin } from './bounded-wait.ts';
import { type AwaitedOrder, type DrainOrder, emptiesAcceptQueue } from './drain-order.ts';
import { nothingUnfinished, unfinishedNow, type DrainReport, type Unfinished } from './drain-report.ts';
import { emptyAcceptQueue } from './empty-accept-queue.ts';
import { loadTerminatorLater } from './http-terminator.ts';
import { endOwnCluster } from './own-cluster.ts';
import { takeoverPauseMs } from './takeover-pause.ts';

export interface DrainParts {
  readonly tracking: Tracking;
  readonly application: Application;
  readonly order: Pick<AwaitedOrder, 'current' | 'wait'>;
  /** The worker's place among the program's workers, from 0. The workers do not all begin to move connections at the same time. */
  readonly slot: number;
  /** The name of the listener that a server listens on, or null. */
  readonly listenerOf: (server: net.Server, socket: net.Socket) => string | null;
  readonly signals: CleanUp['signals'];
  /** The UDP sockets of this worker, or null if no UDP listener is declared. */
  readonly datagrams: Omit<Datagrams, 'pause'> | null;
  /** How long after the deadline this process is killed. */
  killedAfterMs(): number;
  /** Called when the order is known: from then on a server that begins to listen must not accept. */
  orderKnown(): void;
  /** Called when every new connection goes to other workers from now on. */
  acceptsNoMore(): void;
  /** Called when the drain is over, apart from the application's own clean-up. */
  ended(report: DrainReport): Promise<void>;
  /** Called if hooks or handlers of the application have not finished in time. `what` names them. */
  cleanUpCut(what: string): Promise<void>;
}

export interface Drain {
  /** Begins the drain. A second call changes nothing. */
  begin(): void;
  isBegun(): boolean;
  /** True once the drain only waits for the application's own clean-up. */
  isCleaningUp(): boolean;
  /** Acts as if the deadline had passed. */
  reachDeadline(): void;
  /** Call it when SIGTERM has arrived. If it is the one that the master sends at the drain timeout, the clean-up need not expect another one. */
  terminated(): void;
  /** Returns the report that would apply if the process ended at this moment. */
  reportNow(): DrainReport;
  /** Adds a destination. `end`: one end of a pipe to it, as the master sent it. `more`: how many destinations the master announces next. */
  addDestination(end: unknown, more: number): void;
  /** Offers a connection of a custom protocol. Unless the result is `taken`, it stays open in this worker. */
  migrate(socket: net.Socket, request: MigrationRequest): Promise<MigrationResult>;
}

/** The accept queue is emptied for at most this long, and for at most half of the drain timeout. */
const longestEmptyingMs = 5_000;
/** A drain that lasts until this long before its deadline probably needs http-terminator, which takes 50 ms to load. */
const loadTerminatorBeforeMs = 1_000;
/** What the last hooks get if the deadline has passed before they start. */
const lateHooksMs = 400;
/** How long the application's signal handlers may take if the deadline has passed before they start. */
const lateCleanUpMs = 300;
/** The process exits this long before it would be killed, so that it can still report what was cut. */
const exitBeforeKillMs = 200;
/** How long the report to the master may delay the exit. */
const reportMs = 500;

export function createDrain(parts: DrainParts): Drain {
  const { tracking, application } = parts;
  const { servers, connections, requests } = tracking;
  const { datagrams } = parts;
  const { hooks } = application;
  const migration = createMigration({ ...tracking, listenerOf: parts.listenerOf });
  const deadline = createDeadline();
  let begunAt: number | null = null;
  let openAtBegin = 0;
  let acceptedAtBegin = 0;
  let isTerminated = false;
  let isCleaningUp = false;
  /** Whether the application has sent itself a signal that it does not listen for any more. */
  let hasSignalledItself = false;

  function begin(): void {
    if (begunAt !== null) return;
    begunAt = monotonicMs();
    openAtBegin = connections.open().length;
    acceptedAtBegin = connections.accepted();
    parts.signals.watchOwn(() => {
      hasSignalledItself = true;
    });
    // Accepting stops before anything else, so that the new generation serves every new client.
    const order = parts.order.current();
    if (order.reason !== 'signal' && !emptiesAcceptQueue(order)) acceptNoMore();
    run(begunAt).catch(waitForConnections);
  }

  function acceptNoMore(): void {
    servers.stopAccepting();
    datagrams?.stopReading();
  }

  async function run(startedAt: number): Promise<void> {
    const order = await parts.order.wait();
    await stopAccepting(order);
    const leftMs = Math.max(0, startedAt + order.timeoutMs - monotonicMs());
    const { unfinished, areHooksDone } = await finish(order, leftMs);
    isCleaningUp = true;
    await endsWithin(reportMs, parts.ended(reportOf(unfinished)));
    if (!areHooksDone) await reportCleanUpCut('drain hooks');
    const deadlineAt = startedAt + parts.order.current().timeoutMs;
    cleanUpAndExit({
      signals: parts.signals,
      startedAt,
      deadlineAt,
      exitAt: Math.max(deadlineAt + parts.killedAfterMs() - exitBeforeKillMs, monotonicMs() + lateCleanUpMs),
      isTerminated,
      isDone: hasSignalledItself,
      reportCut: reportCleanUpCut,
    });
  }

  async function stopAccepting(order: DrainOrder): Promise<void> {
    const { reason, timeoutMs, migrates } = order;
    const emptiesQueue = emptiesAcceptQueue(order);
    // `begin` may not have stopped accepting, if the reason was not known. It is not stopped again later: a server that begins to listen after this
    // accepts nothing, or has a port that is not declared, which a request in flight may need.
    if (!emptiesQueue) acceptNoMore();
    parts.orderKnown();
    if (reason === 'reload') await deadline.pause(takeoverPauseMs(timeoutMs, parts.slot));
    // Each step has a turn of its own: together they would keep the clients waiting.
    if (migrates) migrateConnections(timeoutMs);
    await nextTurn();
    endConnections();
    await nextTurn();
    // The application is told only at this point, because its code runs then, and may close its servers.
    application.tellOfDrain();
    if (emptiesQueue) {
      await emptyAcceptQueue(
        () => connections.accepted() + (datagrams?.received() ?? 0),
        Math.min(longestEmptyingMs, timeoutMs / 2),
      );
      acceptNoMore();
    }
    parts.acceptsNoMore();
    await nextTurn();
  }

  function migrateConnections(timeoutMs: number): void {
    migration.begin(timeoutMs / 2, {
      abandoned: () => {
        requests.endAfterLastResponse(() => false, closeHeader);
      },
      resumed: endConnections,
    });
  }

  /** Every connection that does not migrate ends after its latest response. */
  function endConnections(): void {
    requests.endAfterLastResponse((socket) => migration.willMove(socket), closeHeader);
  }

  /** Lets connections and hooks finish until the deadline, then cuts them. */
  async function finish(
    { reason }: DrainOrder,
    leftMs: number,
  ): Promise<{ readonly unfinished: Unfinished; readonly areHooksDone: boolean }> {
    deadline.setIn(leftMs);
    const context: DrainContext = { reason, deadline: Math.round(Date.now() + leftMs) };
    closeWebSocketsOver(leftMs / 2, () => [...connections.open(), ...connections.secured()]);
    await nextTurn();
    const terminator = loadTerminatorLater(Math.max(leftMs - loadTerminatorBeforeMs, leftMs / 2));
    const firstHooks = hooks.run('first', context).then(() => true);
    const work = Promise.all([
      connections.whenNoneOpen(),
      datagrams?.whenAnswered(leftMs / 2),
      endOwnCluster(),
      firstHooks,
    ]);
    const isDrained = await deadline.isMetBy(work);
    terminator.cancel();
    if (isDrained) {
      isCleaningUp = true;
      const areHooksDone = await deadline.isMetBy(hooks.run('last', context));
      deadline.cancel();
      return { unfinished: nothingUnfinished, areHooksDone };
    }
    deadline.cancel();
    const isOpen = connections.open().length > 0;
    const unfinished = isOpen ? await cutConnections(tracking, terminator.get()) : nothingUnfinished;
    const areFirstDone = await Promise.race([firstHooks, Promise.resolve(false)]);
    const lateContext: DrainContext = { reason, deadline: Date.now() + lateHooksMs };
    const areLastDone = await endsWithin(lateHooksMs, hooks.run('last', lateContext));
    return { unfinished, areHooksDone: areFirstDone && areLastDone };
  }

  function reportOf(unfinished: Unfinished): DrainReport {
    const migrated = migration.migrated();
    const seen = openAtBegin + connections.accepted() - acceptedAtBegin;
    return {
      served: requests.served() - unfinished.requests,
      migrated,
      cut: unfinished.connections,
      drained: Math.max(0, seen - migrated - unfinished.connections),
    };
  }

  async function reportCleanUpCut(what: string): Promise<void> {
    await endsWithin(exitBeforeKillMs / 2, parts.cleanUpCut(what));
  }

  /** Stops accepting, and exits when no connection is open: the fallback if our own code fails. The master, or whatever sent the signal, knows the deadline. */
  function waitForConnections(error: unknown): void {
    complain(`the drain has failed, and only waits now: ${described(error)}`);
    acceptNoMore();
    void connections.whenNoneOpen().then(() => process.exit());
  }

  return {
    begin,
    isBegun: () => begunAt !== null,
    isCleaningUp: () => isCleaningUp,
    reachDeadline: () => {
      deadline.reach();
    },
    terminated() {
      if (begunAt === null) return;
      const deadlineAt = begunAt + parts.order.current().timeoutMs;
      if (monotonicMs() >= deadlineAt - deadlineToleranceMs) isTerminated = true;
    },
    reportNow: () => reportOf(unfinishedNow(tracking)),
    addDestination(end, more) {
      migration.addDestination(end, more);
    },
    migrate: (socket, request) => migration.migrate(socket, request),
  };
}
