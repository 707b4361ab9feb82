/** The schedule of a program as the control API shows it. Pure. */
import type { ScheduleStatus } from '../../../shared/control-api.ts';
import type { SchedulePlan } from '../../config/options/schedule-options.ts';
import type { ScheduleState } from './schedule-step.ts';

/** The schedule of a program for its status; null if it has none. */
export function describeSchedule(
  plan: SchedulePlan | null,
  state: ScheduleState | null,
): ScheduleStatus | null {
  if (plan === null) return null;
  const { expression, timezone } = plan;
  return {
    expression,
    timezone,
    nextAt: state?.nextAt ?? null,
    run: state?.run == null ? null : { startedAt: state.run.startedAt, cause: state.run.cause },
    isPending: state !== null && state.pending !== null,
    lastRun: state?.last ?? null,
  };
}
