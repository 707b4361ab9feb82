/** The part of a plan that the lifecycle decides by. Pure. */
import { killDelayMs } from '../../shared/protocol.ts';
import { maxDrainingGenerations, sameStopMs, debounceMs } from '../config/options/fixed-bounds.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { defaultBackoff } from './lifecycle/backoff.ts';
import type { LifecycleSettings } from './lifecycle/state.ts';

/** `jitterSeed`: what the jitter of the backoff is made from; null: it has none. */
export function lifecycleSettings(
  { readyTimeoutMs, drainTimeoutMs, stop, probationMs, restart, replacement, rollout, kind }: ProgramPlan,
  jitterSeed: number | null,
): LifecycleSettings {
  const { autorestart, exitCodes, startRetries, crashLoop } = restart;
  return {
    readyTimeoutMs,
    drainTimeoutMs,
    probationMs,
    killDelayMs,
    stopSteps: stop.steps,
    debounceMs,
    sameStopMs,
    maxDrainingGenerations,
    overlaps: kind.overlaps,
    replacementIntervalMs: replacement.intervalMs,
    rollout: rollout.steps,
    backoff: { ...defaultBackoff, kind: restart.backoff, maxMs: restart.backoffMaxMs, jitterSeed },
    restart: { autorestart, exitCodes, startRetries, crashLoop },
  };
}
