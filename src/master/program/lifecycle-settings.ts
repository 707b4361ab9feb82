/** The settings of the lifecycle, from a plan. Pure. */
import { killDelayMs } from '../../shared/protocol.ts';
import {
  debounceMs,
  firstBackoffMs,
  healthyAfterMs,
  maxDrainingGenerations,
  sameStopMs,
} from '../config/options/fixed-bounds.ts';
import type { ProgramPlan } from '../config/plan.ts';
import type { LifecycleSettings } from './lifecycle/state.ts';

/** Compiles the settings. `jitterSeed`: the seed of the jitter of the backoff; null for no jitter. */
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
    backoff: {
      kind: restart.backoff,
      firstMs: firstBackoffMs,
      maxMs: restart.backoffMaxMs,
      healthyAfterMs,
      jitterSeed,
    },
    restart: { autorestart, exitCodes, startRetries, crashLoop },
  };
}
