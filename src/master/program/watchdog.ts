/**
 * Notices workers that are hung: a Node.js worker whose event loop does not turn, asked over its channel, and any other program that does not send
 * WATCHDOG=1 in time. Loaded only for programs with a watchdog, because it has a timer for each worker.
 *
 * A worker must not count as hung if it could not run, or if its signs could not be received: while this process or the machine was held up, or while
 * SIGSTOP has stopped the worker. So a time that ends late begins again, and at the end of its time a worker has a last chance.
 */
import type { MasterEvent, ReplacementCause } from '../../shared/events.ts';
import { formatDuration } from '../../shared/durations.ts';
import type { Activity } from '../process/activity.ts';
import type { Notification } from '../process/notify-message.ts';
import type { Platform } from '../process/platform.ts';
import type { HangLocator } from '../process/ask-where-hung.ts';
import type { Program } from './lifecycle/state.ts';
import { identity, type RunningWorker } from './running-worker.ts';

export interface WatchdogParts {
  readonly platform: Pick<Platform, 'arm' | 'clock'>;
  readonly state: () => Program;
  readonly processOf: (worker: number) => RunningWorker | undefined;
  /** How long a worker of this generation may be silent; null if it has no watchdog. */
  readonly boundOf: (generation: number) => number | null;
  readonly activityOf: (pid: number) => Activity;
  readonly openHangLocator: (
    worker: RunningWorker['process'],
    answered: (stack: readonly string[]) => void,
  ) => HangLocator | null;
  readonly hung: (worker: number, cause: ReplacementCause) => void;
  readonly alive: (worker: number) => void;
  readonly onEvent: (event: MasterEvent) => void;
}

export interface Watchdog {
  /** Has to be called when workers have become ready or gone, or the plan has changed. */
  look(): void;
  /** Called with a notification of the worker, or with null if its event loop turns. */
  receive(worker: RunningWorker, said: Notification | null): void;
}

/** How much longer a worker has once its time is up. In this time it is also asked for its stack. */
export const lastChanceMs = 1_000;

/** How long after it is ready a worker is first asked. It is not asked at once, because clients are waiting for it then. */
const firstQuestionMs = 1_000;

/** A timer that fires this much too late shows that this process, or the machine, was held up. */
const longestDelayMs = 500;

interface Watched {
  readonly worker: RunningWorker;
  /** Whether the worker's event loop is asked. Otherwise the worker has to send WATCHDOG=1. */
  readonly isAsked: boolean;
  /** How long the worker may be silent, by its plan, or as the program itself has set it. */
  readonly boundMs: number;
  lastSignAt: number;
  cancel: () => void;
  isHung: boolean;
  /** Whether the worker has answered a question. */
  hasAnswered: boolean;
  /** The hang locator, or null if it has not been needed yet or cannot be opened. */
  hangLocator: HangLocator | null;
  stack: readonly string[];
}

export function createWatchdog(parts: WatchdogParts): Watchdog {
  const { platform, state, processOf, boundOf, activityOf, openHangLocator, onEvent } = parts;
  const { clock } = platform;
  const watched = new Map<number, Watched>();

  /** Replaces the timer of the worker. */
  function armFor(one: Watched, delayMs: number, due: () => void): void {
    one.cancel();
    const dueAt = clock.monotonicMs() + delayMs;
    one.cancel = platform.arm(delayMs, () => {
      if (clock.monotonicMs() - dueAt > longestDelayMs && !one.isHung) begin(one);
      else due();
    });
  }

  function begin(one: Watched): void {
    if (one.isAsked) ask(one);
    else awaitSign(one);
  }

  function ask(one: Watched): void {
    const { process } = one.worker;
    awaitSign(one);
    // Sent before the hang locator: a message after a handle waits until the arrival of the handle is confirmed, which takes a turn of the worker's event loop.
    process.send({ type: 'ping' });
    // Not opened earlier, because it costs the worker some milliseconds.
    one.hangLocator ??= openHangLocator(process, (stack) => {
      one.stack = stack;
    });
  }

  function awaitSign(one: Watched): void {
    armFor(one, one.boundMs, () => {
      if (isStopped(one)) awaitSign(one);
      else suspect(one);
    });
  }

  function isStopped({ worker }: Watched): boolean {
    return activityOf(worker.servingPid).isStopped;
  }

  function suspect(one: Watched): void {
    one.stack = [];
    one.hangLocator?.ask();
    armFor(one, lastChanceMs, () => {
      if (isStopped(one)) awaitSign(one);
      else report(one, false);
    });
  }

  function report(one: Watched, isTriggered: boolean): void {
    const { worker, boundMs, isAsked, stack } = one;
    one.isHung = true;
    onEvent({
      event: 'workerHung',
      ...identity(worker),
      silentMs: silentMs(one),
      boundMs,
      isTriggered,
      stack,
      problem: !isAsked || isTriggered || stack.length > 0 ? null : withoutStack(one),
      doing: activityOf(worker.servingPid).doing,
    });
    insist(one);
  }

  function withoutStack({ hangLocator, hasAnswered }: Watched): string {
    if (hangLocator === null) return 'no descriptor was left to ask for its stack';
    const why = hasAnswered ? 'its main thread is in native code' : 'it has hung since it was ready';
    return `no stack within ${formatDuration(lastChanceMs)}: ${why}`;
  }

  /** Requests the replacement of a hung worker again and again while it is hung, whatever else happens to the program. */
  function insist(one: Watched): void {
    armFor(one, one.boundMs, () => {
      insist(one);
    });
    parts.hung(one.worker.id, { reason: 'watchdog', figure: silentMs(one), bound: one.boundMs });
  }

  function silentMs({ lastSignAt }: Watched): number {
    return Math.round(clock.monotonicMs() - lastSignAt);
  }

  function sign(one: Watched): void {
    one.lastSignAt = clock.monotonicMs();
    if (one.isHung) {
      one.isHung = false;
      parts.alive(one.worker.id);
    }
    if (one.isAsked) askAfter(one, one.boundMs / 2);
    else awaitSign(one);
  }

  function askAfter(one: Watched, delayMs: number): void {
    armFor(one, delayMs, () => {
      ask(one);
    });
  }

  function watch(worker: RunningWorker, isAsked: boolean, boundMs: number): void {
    const one: Watched = {
      worker,
      isAsked,
      boundMs,
      lastSignAt: clock.monotonicMs(),
      cancel: () => undefined,
      isHung: false,
      hasAnswered: false,
      hangLocator: null,
      stack: [],
    };
    watched.set(worker.id, one);
    if (worker.watchdog?.isHung === true) report(one, true);
    else if (isAsked) askAfter(one, Math.min(boundMs / 2, firstQuestionMs));
    else awaitSign(one);
  }

  function forget(id: number, { cancel, hangLocator }: Watched): void {
    cancel();
    hangLocator?.close();
    watched.delete(id);
  }

  function look(): void {
    const ready = new Map(
      state().workers.flatMap((worker) => (worker.phase === 'ready' ? [[worker.id, worker] as const] : [])),
    );
    for (const [id, one] of watched) if (!ready.has(id)) forget(id, one);
    for (const [id, { generation, capabilities }] of ready) {
      const worker = processOf(id);
      const isOn = boundOf(generation) !== null;
      const boundMs = isOn ? (worker?.watchdog?.ms ?? boundOf(generation)) : 0;
      // The word of a program itself counts more than that its event loop turns.
      const isAsked = capabilities.reports || (worker?.hasHeartbeat === true && !worker.feedsWatchdog);
      const known = watched.get(id);
      if (known?.boundMs === boundMs && known.isAsked === isAsked) continue;
      // The worker has set another time, or has turned out to be another kind of program.
      if (known !== undefined) forget(id, known);
      if (known?.isHung === true) parts.alive(id);
      if (worker !== undefined && boundMs !== null && boundMs > 0 && (isAsked || worker.hasNotified))
        watch(worker, isAsked, boundMs);
    }
  }

  return {
    look,
    receive(worker, said) {
      const known = watched.get(worker.id);
      // The worker is not watched yet, or not in this way.
      if (known === undefined || known.isAsked !== (said === null) || said?.watchdogMs != null) look();
      const one = watched.get(worker.id);
      if (one === undefined) return;
      if (said?.isHung === true && !one.isHung) report(one, true);
      else if (said === null && one.isAsked) {
        one.hasAnswered = true;
        sign(one);
      } else if (said?.isAlive === true && !one.isAsked) sign(one);
    },
  };
}
