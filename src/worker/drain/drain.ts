/**
 * A drain from its first to its last moment, the same with a master and without: stop accepting, finish what is in flight,
 * let go of the rest at the deadline, run the hooks that close what nobody needs any more. It must not know signals' names or messages: `parts` does.
 */
import { monotonicMs } from '../../shared/clock.ts';
import type { Connections } from '../tracking/connections.ts';
import { cutConnections } from './cut-connections.ts';
import type { Tracking } from '../tracking/tracking.ts';
import { takeoverPauseMs } from './takeover-pause.ts';
import type { Hooks } from '../api/drain-hooks.ts';
import { closeHeader } from './connection-close.ts';
import { endOwnCluster } from './own-cluster.ts';
import type { Migration } from '../migration/migration.ts';
import { spareIdle } from '../migration/keep-idle-open.ts';
import { loadTerminator, type Terminate } from './http-terminator.ts';
import { type AwaitedOrder, emptiesAcceptQueue } from './drain-order.ts';
import type { DrainReport } from './drain-report.ts';
import type { WebSockets } from './close-websockets.ts';

export interface DrainParts {
  readonly tracking: Tracking;
  readonly hooks: Hooks;
  readonly migration: Migration;
  readonly webSockets: WebSockets;
  readonly order: Pick<AwaitedOrder, 'wait'>;
  /** Draining has begun: nothing that listens from now on may accept. */
  begun(): void;
  /** Every new connection goes to others from now on. */
  acceptsNoMore(): void;
  /** All that is left is the application's own clean-up. */
  cleansUp(): void;
  /** The reason is known. */
  explained(): void;
  /** Resolves when the drain has to end before its deadline. */
  readonly hurried: Promise<void>;
}

/** How a drain went. `areHooksCut`: hooks were still at work when nothing waited for them any more. */
export interface DrainResult {
  readonly report: DrainReport;
  readonly areHooksCut: boolean;
}

/** When the drain has lasted this long, it is likely to need http-terminator. */
const loadTerminatorAfterMs = 1_000;

/** How long connections that wait in the accept queue may take to be accepted, at most: half of the drain timeout, and this. */
const acceptQueuedMs = 5_000;

/** What the last hooks get when the deadline has come before them: the master kills 2 s after it. */
const lateHooksMs = 400;

/** Drains: resolves when no connection is open and no hook is worth waiting for. */
export async function drain(parts: DrainParts): Promise<DrainResult> {
  const { hooks, migration, webSockets } = parts;
  const { servers, connections, requests } = parts.tracking;
  const startedAt = monotonicMs();
  const { reason, timeoutMs, migrates } = await parts.order.wait();
  // Unless it was known, and done, at the beginning.
  if (!emptiesAcceptQueue(reason)) servers.stopAccepting();
  parts.begun();
  if (reason === 'reload') await pause(takeoverPauseMs(timeoutMs), parts.hurried);
  const endThoseThatStay = (): void => {
    requests.endAfterLastResponse((socket) => migration.carries(socket), closeHeader);
  };
  if (migrates) {
    spareIdle(servers.all(), (socket) => migration.carries(socket));
    migration.begin(timeoutMs / 2, {
      abandoned: () => {
        requests.endAfterLastResponse(nobody, closeHeader);
      },
      resumed: endThoseThatStay,
    });
  }
  endThoseThatStay();
  // From here on the application is called.
  parts.explained();
  if (emptiesAcceptQueue(reason)) await acceptQueued(connections, Math.min(acceptQueuedMs, timeoutMs / 2));
  servers.stopAccepting();
  parts.acceptsNoMore();

  const leftMs = Math.max(0, timeoutMs - (monotonicMs() - startedAt));
  const deadline = Math.round(Date.now() + leftMs);
  webSockets.closeOver(leftMs / 2);
  const alarm = timer(leftMs);
  const isOver = Promise.race([alarm.passed, parts.hurried]).then(() => false);
  const inTime = async (work: Promise<unknown>): Promise<boolean> =>
    Promise.race([work.then(() => true), isOver]);

  const terminator = loadLater(Math.min(loadTerminatorAfterMs, leftMs / 2));
  const firstHooks = hooks.run('first', { reason, deadline }).then(() => true);
  const isDrained = await inTime(Promise.all([connections.whenNoneOpen(), endOwnCluster(), firstHooks]));
  terminator.cancel();
  if (isDrained) {
    parts.cleansUp();
    const isDone = await inTime(hooks.run('last', { reason, deadline }));
    alarm.cancel();
    return {
      report: { served: requests.served(), migrated: migration.migrated(), cut: 0 },
      areHooksCut: !isDone,
    };
  }
  alarm.cancel();
  const isOpen = connections.open().length > 0;
  const { cut, unanswered } = isOpen
    ? await cutConnections(parts.tracking, terminator.get())
    : { cut: 0, unanswered: 0 };
  const areFirstDone = await Promise.race([firstHooks, Promise.resolve(false)]);
  const late = timer(lateHooksMs);
  const lastHooks = hooks.run('last', { reason, deadline: Date.now() + lateHooksMs });
  const areLastDone = await Promise.race([lastHooks.then(() => true), late.passed.then(() => false)]);
  late.cancel();
  const served = requests.served() - unanswered;
  return {
    report: { served, migrated: migration.migrated(), cut },
    areHooksCut: !areFirstDone || !areLastDone,
  };
}

function nobody(): boolean {
  return false;
}

/**
 * Accepts until a whole turn of the event loop brought nothing: libuv accepts one connection a turn, and what the requests of
 * those before it make the application do lies in between. Under a load that never pauses, `boundMs` ends it.
 */
async function acceptQueued(connections: Connections, boundMs: number): Promise<void> {
  const until = monotonicMs() + boundMs;
  let before = -1;
  while (before !== connections.accepted() && monotonicMs() < until) {
    before = connections.accepted();
    // Two: the first ends in the turn in which we are, after its poll.
    await turn();
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Shorter when the drain has to end. */
async function pause(ms: number, hurried: Promise<void>): Promise<void> {
  const rest = timer(ms);
  await Promise.race([rest.passed, hurried]);
  rest.cancel();
}

function timer(ms: number): { readonly passed: Promise<void>; readonly cancel: () => void } {
  let handle: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    handle = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
  });
  return {
    passed,
    cancel: () => {
      clearTimeout(handle);
    },
  };
}

/** Loads http-terminator after a while, or when it is wanted. */
function loadLater(ms: number): { readonly get: () => Promise<Terminate>; readonly cancel: () => void } {
  let loading: Promise<Terminate> | null = null;
  const get = (): Promise<Terminate> => (loading ??= loadTerminator());
  const handle = setTimeout(() => void get(), ms);
  return {
    get,
    cancel: () => {
      clearTimeout(handle);
    },
  };
}
