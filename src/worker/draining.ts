/**
 * What a managed worker and one that runs alone share: the parts of a drain put together, begun at most once, and the
 * abort signal that tells the application. It must not know who asked for the drain.
 */
import type net from 'node:net';
import { createConnections, type Connections } from './connections.ts';
import type { DrainOrder, Toll } from './drain/drain.ts';
import { createExchanges } from './exchanges.ts';
import { createHooks, type Hooks } from './hooks.ts';
import type { Later } from './load-later.ts';
import type { Gift, GiveResult } from './migration/giving.ts';
import type { Migration } from './migration/migration.ts';
import { closeHandle } from './raw-handle.ts';
import type { ServerMethod } from './server-methods.ts';
import { complain } from './standard-streams.ts';
import { takesQueueAlong } from './word.ts';

export interface DrainingParts {
  /** net's own `close`, from before anybody replaced it. */
  readonly close: ServerMethod;
  /** Null: it cannot be loaded. */
  later(): Later | null;
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
  readonly connections: Connections;
  readonly hooks: Hooks;
  /** The end of a pipe to a worker that adopts, as it came from the master; `more` are about to come. */
  addSuccessor(end: unknown, more: number): void;
  /** Offers a connection of the application's own protocol. Unless it is `taken`, it stays open here. */
  give(socket: net.Socket, gift: Gift): Promise<GiveResult>;
  /** The server has been told to listen. Comes again when it listens again. */
  track(server: net.Server): void;
  /** Aborts when the drain begins. */
  signal(): AbortSignal;
  isBegun(): boolean;
  /** Begins the drain; during one, changes nothing. */
  begin(): void;
  /** What it would be if the process ended now; null while that cannot be said. */
  toll(): Toll | null;
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
  const exchanges = createExchanges();
  const connections = createConnections(exchanges, parts.close);
  const hooks = createHooks((error) => {
    complain(
      `a drain hook failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  });
  let migration: Migration | null = null;
  let abort: AbortController | null = null;
  let isBegun = false;
  /** The application may know that it has begun. */
  let isExplained = false;
  let isLate = false;
  let isTerminating = false;
  let hurry: () => void = () => undefined;

  function migrationOf({ createMigration }: Later): Migration {
    return (migration ??= createMigration({
      exchanges,
      open: () => connections.open(),
      isAccepted: (socket) => connections.isAccepted(socket),
      listenerOf: parts.listenerOf,
    }));
  }

  function explained(): void {
    isExplained = true;
    abort?.abort();
  }

  async function run(): Promise<void> {
    const later = parts.later();
    if (later === null) await endPlainly();
    else await end(later);
  }

  /** With Node.js's own means: idle connections end when their keep-alive timeout does. The master knows the deadline. */
  async function endPlainly(): Promise<void> {
    connections.stopAccepting();
    parts.begun();
    explained();
    parts.acceptsNoMore();
    await connections.whenNoneOpen();
    process.exit();
  }

  async function end(later: Later): Promise<void> {
    const hurriedUp = new Promise<void>((resolve) => {
      hurry = () => {
        isLate = true;
        resolve();
      };
    });
    const { isCut, toll } = await later.drain({
      connections,
      exchanges,
      hooks,
      migration: migrationOf(later),
      webSockets: later.createWebSockets(() => [...connections.open(), ...connections.secured()]),
      word: () => parts.word(),
      order: () => parts.order(),
      begun: () => {
        parts.begun();
      },
      acceptsNoMore: () => {
        parts.acceptsNoMore();
      },
      explained,
      hurried: hurriedUp,
    });
    await Promise.race([parts.ended(toll), wait(goodbyeMs)]);
    later.cleanUpAndExit({
      signals: parts.cleanUpSignals,
      isOurs: parts.isOurs,
      isRunning: isTerminating,
      boundMs: isLate || isCut ? lateCleanUpMs : cleanUpMs,
    });
  }

  return {
    connections,
    hooks,
    addSuccessor(end, more) {
      const later = parts.later();
      if (later === null) closeHandle(end);
      else migrationOf(later).addSuccessor(end, more);
    },
    give: async (socket, gift) => migration?.give(socket, gift) ?? 'nobody',
    track(server) {
      connections.track(server);
    },
    signal() {
      // Made when it is asked for: most applications never do, and all of them have to boot.
      abort ??= new AbortController();
      if (isExplained) abort.abort();
      return abort.signal;
    },
    isBegun: () => isBegun,
    begin() {
      if (isBegun) return;
      isBegun = true;
      // Before anything else: from now on every new client gets an answer of the new generation.
      const { reason } = parts.order();
      if (reason !== 'signal' && !takesQueueAlong(reason)) connections.stopAccepting();
      void run();
    },
    toll() {
      const later = migration === null ? null : parts.later();
      return migration === null || later === null
        ? null
        : later.tollNow({ connections, exchanges, migration });
    },
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
