/** Whether workers of a serving generation, and programs that have not come to serve, are started again after they have ended. */
import type { Outcome } from '../../../shared/events.ts';
import type { LifecycleSettings, Program, RestartSettings, Slot, SlotRest, Worker } from './state.ts';

/** Whether a worker ended with one of the codes that say that its work is done. */
export function isOrderly(outcome: Outcome | null, { exitCodes }: RestartSettings): boolean {
  const code = outcome?.code ?? null;
  return code !== null && exitCodes.includes(code);
}

/** Whether the exit of a worker is the expected end of its work, and not a fault. A program that is always started again is not expected to end at all. */
export function isExpectedEnd(restart: RestartSettings, outcome: Outcome | null): boolean {
  return restart.autorestart !== 'always' && isOrderly(outcome, restart);
}

/**
 * Whether the slot of a worker that has ended by itself stays empty. That is so only if the worker was ready: otherwise its start has failed, which is
 * handled elsewhere.
 */
export function staysEmpty(restart: RestartSettings, worker: Worker, outcome: Outcome | null): boolean {
  if (worker.readyAt === null || outcome === null) return false;
  return restart.autorestart === 'never' || isExpectedEnd(restart, outcome);
}

/** Whether the slot of a worker that drains by itself is filled at once. Otherwise that depends on how the worker ends. */
export function isReplacedAtOnce({ autorestart }: RestartSettings): boolean {
  return autorestart === 'always';
}

/** The deaths of workers of the serving generation that matter, with one at `at` added. */
export function deathsAfter({ deaths, settings }: Program, at: number): readonly number[] {
  const { crashLoop } = settings.restart;
  return crashLoop === null ? [] : [...deaths, at].slice(-crashLoop.deaths);
}

/** Whether so many workers have died within the window that another start would not help. */
export function isCrashLoop({ restart }: LifecycleSettings, deaths: readonly number[], at: number): boolean {
  const { crashLoop } = restart;
  const [first] = deaths;
  return (
    crashLoop !== null &&
    first !== undefined &&
    deaths.length >= crashLoop.deaths &&
    at - first <= crashLoop.windowMs
  );
}

/** Why a generation has no worker left. All of its slots stay empty; the end of one with a fault counts before an orderly one. */
export function restOf(slots: readonly Slot[], restart: RestartSettings): SlotRest {
  const rests = slots.flatMap(({ rest }) => rest ?? []);
  return (
    rests.find(({ failure }) => failure !== null) ??
    rests.find(({ outcome }) => !isOrderly(outcome, restart)) ??
    rests[0] ?? { outcome: null, failure: null }
  );
}
