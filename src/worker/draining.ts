/**
 * What a managed worker and one that runs alone share: the parts of a drain put together, and begun at most once. It must not
 * know who asked for the drain.
 */
import type net from 'node:net';
import type { Application } from './application.ts';
import type { Connections } from './connections.ts';
import { cleanUpAndExit } from './drain/clean-up.ts';
import { drain, tollNow, type DrainOrder, type Toll } from './drain/drain.ts';
import { createWebSockets } from './drain/websockets.ts';
import type { Exchanges } from './exchanges.ts';
import type { Gift, GiveResult } from './migration/giving.ts';
import { createMigration } from './migration/migration.ts';
import { complain, described } from './standard-streams.ts';
import { takesQueueAlong } from './word.ts';

export interface DrainingParts {
  readonly exchanges: Exchanges;
  readonly connections: Connections;
  readonly application: Application;
  /** Resolves when it is known why, if anybody is there who knows. */
  word(): Promise<void>;
  order(): DrainOrder;
  begun(): void;
  acceptsNoMore(): void;
  /** The drain is over, apart from the application's own clean-up. */
  ended(toll: Toll): Promise<void>;
  /** The declared listener that a server listens on, or null. */
  readonly listenerOf: (server: net.Server) => string | null;
  /** The signals whose listeners are the application's clean-up, as in clean-up.ts. */
  readonly cleanUpSignals: readonly NodeJS.Signals[];
  /** Is this one of our own listeners of these? */
  readonly isOurs: (listener: unknown) => boolean;
}

export interface Draining {
  /** The end of a pipe to a worker that adopts, as it came from the master; `more` are about to come. */
  addSuccessor(end: unknown, more: number): void;
  /** Offers a connection of the application's own protocol. Unless it is `taken`, it stays open here. */
  give(socket: net.Socket, gift: Gift): Promise<GiveResult>;
  isBegun(): boolean;
  /** Begins the drain; during one, changes nothing. */
  begin(): void;
  /** What it would be if the process ended now. */
  toll(): Toll;
  /** Ends the drain as if its deadline had come. */
  hurry(): void;
  /** The application's SIGTERM listeners have been called by a real signal. */
  noteTermination(): void;
}

const cleanUpMs = 2_000;
/** After the deadline the master waits 2 s in all; cutting takes up to one of them, the hooks that were late 400 ms. */
const lateCleanUpMs = 300;
/** Saying goodbye to the master must not hold the exit up. */
const goodbyeMs = 500;

export function createDraining(parts: DrainingParts): Draining {
  const { exchanges, connections, application } = parts;
  const migration = createMigration({ exchanges, connections, listenerOf: parts.listenerOf });
  let isBegun = false;
  let isLate = false;
  let isTerminating = false;
  let hurry: () => void = () => undefined;
  const hurried = new Promise<void>((resolve) => {
    hurry = () => {
      isLate = true;
      resolve();
    };
  });

  async function run(): Promise<void> {
    const { isCut, toll } = await drain({
      connections,
      exchanges,
      hooks: application.hooks,
      migration,
      webSockets: createWebSockets(() => [...connections.open(), ...connections.secured()]),
      word: () => parts.word(),
      order: () => parts.order(),
      begun: () => {
        parts.begun();
      },
      acceptsNoMore: () => {
        parts.acceptsNoMore();
      },
      explained: () => {
        application.tellOfDrain();
      },
      hurried,
    });
    await Promise.race([parts.ended(toll), wait(goodbyeMs)]);
    cleanUpAndExit({
      signals: parts.cleanUpSignals,
      isOurs: parts.isOurs,
      isRunning: isTerminating,
      boundMs: isLate || isCut ? lateCleanUpMs : cleanUpMs,
    });
  }

  /** With Node.js's own means, when ours have failed: whoever has given the order knows the deadline. */
  function endPlainly(error: unknown): void {
    complain(`the drain has failed, and only waits now: ${described(error)}`);
    connections.stopAccepting();
    void connections.whenNoneOpen().then(() => process.exit());
  }

  return {
    addSuccessor(end, more) {
      migration.addSuccessor(end, more);
    },
    give: (socket, gift) => migration.give(socket, gift),
    isBegun: () => isBegun,
    begin() {
      if (isBegun) return;
      isBegun = true;
      // Before anything else: from now on every new client gets an answer of the new generation.
      const { reason } = parts.order();
      if (reason !== 'signal' && !takesQueueAlong(reason)) connections.stopAccepting();
      run().catch(endPlainly);
    },
    toll: () => tollNow({ connections, exchanges, migration }),
    hurry: () => {
      hurry();
    },
    noteTermination() {
      isTerminating = true;
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
