/**
 * What a managed worker and one that runs alone share: the parts of a drain put together, and begun at most once. It must not
 * know who asked for the drain.
 */
import type net from 'node:net';
import type { Application } from '../api/application.ts';
import { monotonicMs } from '../../shared/clock.ts';
import { cleanUpAndExit, deadlineToleranceMs, type CleanUp } from './clean-up.ts';
import { drain } from './drain.ts';
import { type AwaitedOrder, emptiesAcceptQueue } from './drain-order.ts';
import { reportNow, type DrainReport } from './drain-report.ts';
import { createWebSockets } from './close-websockets.ts';
import type { Tracking } from '../tracking/tracking.ts';
import type { Gift, GiveResult } from '../migration/give-connection.ts';
import { createMigration } from '../migration/migration.ts';
import { complain, described } from '../process/standard-streams.ts';

export interface DrainingParts {
  readonly tracking: Tracking;
  readonly application: Application;
  readonly order: Pick<AwaitedOrder, 'current' | 'wait'>;
  begun(): void;
  acceptsNoMore(): void;
  /** The drain is over, apart from the application's own clean-up. */
  ended(report: DrainReport): Promise<void>;
  /** The declared listener that a server listens on, or null. */
  readonly listenerOf: (server: net.Server) => string | null;
  readonly signals: CleanUp['signals'];
  /** How long after the deadline something ends this process, if nothing has done so before. */
  killedAfterMs(): number;
  /** A clean-up of the application's own was not done in time. */
  cleanUpCut(what: string): Promise<void>;
}

export interface Draining {
  /** The end of a pipe to a worker that adopts, as it came from the master; `more` are about to come. */
  addSuccessor(end: unknown, more: number): void;
  /** Offers a connection of the application's own protocol. Unless it is `taken`, it stays open here. */
  give(socket: net.Socket, gift: Gift): Promise<GiveResult>;
  isBegun(): boolean;
  /** All that is left of the drain is the application's own clean-up. */
  isCleaningUp(): boolean;
  /** Begins the drain; during one, changes nothing. */
  begin(): void;
  /** What it would be if the process ended now. */
  reportNow(): DrainReport;
  /** Ends the drain as if its deadline had come. */
  hurry(): void;
  /** SIGTERM has come. */
  noteTermination(): void;
}

/** What a clean-up gets at least when the deadline has come before it. */
const lateCleanUpMs = 300;
/** So long before it would be killed, the process ends by itself, and tells what was cut. */
const lastWordMs = 200;
/** What is said about a clean-up, where there is no master to say it. */
export const cleanUpWasCut = 'had not ended this process at the drain timeout and were cut';
/** Saying goodbye to the master must not hold the exit up. */
const goodbyeMs = 500;

export function createDraining(parts: DrainingParts): Draining {
  const { tracking, application } = parts;
  const { servers, connections, requests } = tracking;
  const migration = createMigration({ requests, connections, listenerOf: parts.listenerOf });
  let isBegun = false;
  let begunAt = 0;
  let isTerminated = false;
  let isCleaningUp = false;
  let isCleanedUp = false;
  let hurry: () => void = () => undefined;
  const hurried = new Promise<void>((resolve) => {
    hurry = resolve;
  });

  const deadlineAt = (): number => begunAt + parts.order.current().timeoutMs;

  async function cleanUpCut(what: string): Promise<void> {
    await Promise.race([parts.cleanUpCut(what), wait(lastWordMs / 2)]);
  }

  async function run(): Promise<void> {
    const { areHooksCut, report } = await drain({
      tracking,
      hooks: application.hooks,
      migration,
      webSockets: createWebSockets(() => [...connections.open(), ...connections.secured()]),
      order: parts.order,
      begun: () => {
        parts.begun();
      },
      acceptsNoMore: () => {
        parts.acceptsNoMore();
      },
      cleansUp: () => {
        isCleaningUp = true;
      },
      explained: () => {
        application.tellOfDrain();
      },
      hurried,
    });
    isCleaningUp = true;
    await Promise.race([parts.ended(report), wait(goodbyeMs)]);
    if (areHooksCut) await cleanUpCut('drain hooks');
    cleanUpAndExit({
      signals: parts.signals,
      begunAt,
      deadlineAt: deadlineAt(),
      endsAt: Math.max(deadlineAt() + parts.killedAfterMs() - lastWordMs, monotonicMs() + lateCleanUpMs),
      isTerminated,
      isDone: isCleanedUp,
      cut: cleanUpCut,
    });
  }

  /** With Node.js's own means, when ours have failed: whoever has given the order knows the deadline. */
  function endPlainly(error: unknown): void {
    complain(`the drain has failed, and only waits now: ${described(error)}`);
    servers.stopAccepting();
    void connections.whenNoneOpen().then(() => process.exit());
  }

  return {
    addSuccessor(end, more) {
      migration.addSuccessor(end, more);
    },
    give: (socket, gift) => migration.give(socket, gift),
    isBegun: () => isBegun,
    isCleaningUp: () => isCleaningUp,
    begin() {
      if (isBegun) return;
      isBegun = true;
      begunAt = monotonicMs();
      parts.signals.watchOwn(() => {
        isCleanedUp = true;
      });
      // Before anything else: from now on every new client gets an answer of the new generation.
      const { reason } = parts.order.current();
      if (reason !== 'signal' && !emptiesAcceptQueue(reason)) servers.stopAccepting();
      run().catch(endPlainly);
    },
    reportNow: () => reportNow(tracking, migration),
    hurry: () => {
      hurry();
    },
    noteTermination() {
      if (isBegun && monotonicMs() >= deadlineAt() - deadlineToleranceMs) isTerminated = true;
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
