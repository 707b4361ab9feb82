/** When a requested reload may begin: reloads run one at a time, bursts become one reload, and the number of old generations is limited. */
import { holds } from './generations.ts';
import type { Serving } from './state.ts';

/** What a serving program does about a reload that waits. */
export type ReloadDecision =
  | { readonly decision: 'none' }
  | { readonly decision: 'begin' }
  /** Check again after this many ms. */
  | { readonly decision: 'debounce'; readonly delayMs: number }
  /** Checks again when a draining worker is gone. */
  | { readonly decision: 'waitForDrain' };

export function decideReload(program: Serving, at: number): ReloadDecision {
  const { pendingSince, settings } = program;
  if (pendingSince === null) return { decision: 'none' };
  if (drainingGenerations(program) >= settings.maxDrainingGenerations) return { decision: 'waitForDrain' };
  const quietMs = at - pendingSince;
  if (quietMs < settings.debounceMs) return { decision: 'debounce', delayMs: settings.debounceMs - quietMs };
  return { decision: 'begin' };
}

/** Whether a reload may begin at the moment of its request. */
export function mayBeginAtOnce(program: Serving): boolean {
  return (
    program.pendingSince === null && drainingGenerations(program) < program.settings.maxDrainingGenerations
  );
}

function drainingGenerations({ workers, current }: Serving): number {
  // A worker of a generation that has failed may have remained in a slot of the one that serves.
  const others = workers.filter((worker) => worker.generation !== current.number && !holds(current, worker));
  return new Set(others.map(({ generation }) => generation)).size;
}
