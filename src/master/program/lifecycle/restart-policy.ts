/** Whether what has ended is started again: a worker of a generation that serves, and a program that does not come to serve. */
import type { Outcome } from '../../../shared/events.ts';
import type { LifecycleSettings, Program, RestartSettings, Slot, SlotRest, Worker } from './state.ts';

/** Whether a worker ended with one of the codes that say that its work is done. */
export function isOrderly(outcome: Outcome | null, { exitCodes }: RestartSettings): boolean {
  const code = outcome?.code ?? null;
  return code !== null && exitCodes.includes(code);
}

/** Whether the exit of a worker is the end of its work, and no fault. A program that is always started again is not expected to end at all. */
export function isExpectedEnd(restart: RestartSettings, outcome: Outcome | null): boolean {
  return restart.autorestart !== 'always' && isOrderly(outcome, restart);
}

/** A worker that was ready has ended by itself, and its slot stays empty. One that was never ready is a failed start, which is another matter. */
export function staysEmpty(restart: RestartSettings, worker: Worker, outcome: Outcome | null): boolean {
  if (worker.readyAt === null || outcome === null) return false;
  return restart.autorestart === 'never' || isExpectedEnd(restart, outcome);
}

/** The slot of a worker that drains by itself is filled at once, unless it depends on how the worker ends. */
export function isReplacedAtOnce({ autorestart }: RestartSettings): boolean {
  return autorestart === 'always';
}

/** When workers of the serving generation died: as many as matter. */
export function deathsAfter({ deaths, settings }: Program, at: number): readonly number[] {
  const { crashLoop } = settings.restart;
  return crashLoop === null ? [] : [...deaths, at].slice(-crashLoop.deaths);
}

/** So many have died within the window that another start would be no better. */
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

/** Why a generation has no worker left, from its slots, which all stay empty: a fault before an orderly exit. */
export function restOf(slots: readonly Slot[], restart: RestartSettings): SlotRest {
  const rests = slots.flatMap(({ rest }) => rest ?? []);
  return (
    rests.find(({ failure }) => failure !== null) ??
    rests.find(({ outcome }) => !isOrderly(outcome, restart)) ??
    rests[0] ?? { outcome: null, failure: null }
  );
}
