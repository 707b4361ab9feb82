/** The latest thing that went wrong with a program, in a few words. Pure. */
import type { ReloadResult, Status, WorkerCrash } from '../../shared/control-api.ts';
import { reasonOf } from '../../shared/describe-failure.ts';
import { printable } from '../../shared/printable.ts';
import { formatAge, isServed, lastRunProblem } from './status-view.ts';

/**
 * Describes the latest problem of a program. Null if there was none, or if the generation that had it was replaced by one that serves.
 * `nowMs` is in milliseconds since 1970.
 */
export function lastProblem(status: Status, nowMs: number): string | null {
  const { waitsFor, schedule, lastReload, lastCrash } = status;
  if (waitsFor.length > 0) return `waits for ${waitsFor.map(printable).join(', ')}`;
  if (schedule !== null) return lastRunProblem(schedule, nowMs);
  const failed = lastReload !== null && !lastReload.ok ? lastReload : null;
  const crash = lastCrash !== null && isOpen(lastCrash, status) ? lastCrash : null;
  if (crash !== null && (failed === null || crash.endedAt > failed.endedAt)) return crashed(crash, nowMs);
  return failed === null ? null : unsuccessful(failed, nowMs);
}

/** Whether the generation that crashed has not been replaced by a later one. */
function isOpen(crash: WorkerCrash, status: Status): boolean {
  return !isServed(status) || crash.generation === status.generation;
}

function crashed({ endedAt, failure }: WorkerCrash, nowMs: number): string {
  return `worker failed ${ago(endedAt, nowMs)}: ${printable(reasonOf(failure))}`;
}

function unsuccessful(result: ReloadResult, nowMs: number): string {
  const { generation, endedAt, failure, rolledBackTo, serving } = result;
  const what =
    rolledBackTo !== null
      ? `generation ${generation} was rolled back`
      : serving === null
        ? 'start failed'
        : 'reload failed';
  const why = failure === null ? '' : `: ${printable(reasonOf(failure))}`;
  return `${what} ${ago(endedAt, nowMs)}${why}`;
}

function ago(endedAt: number, nowMs: number): string {
  return `${formatAge(nowMs - endedAt)} ago`;
}
