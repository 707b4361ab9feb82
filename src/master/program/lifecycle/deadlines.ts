/**
 * The deadlines of a worker: how long it may take to start and to drain, how it gets more time, and what happens when the time for its drain has passed.
 * Pure.
 */
import type { DrainReason } from '../../../shared/protocol.ts';
import type { WorkerInput } from './inputs.ts';
import type { EndStep, LifecycleSettings, Worker } from './state.ts';
import { announce, change, enter, killed, type Row, type WorkerStep } from './worker-step.ts';

/**
 * The steps of an ending before SIGKILL. A hung worker cannot drain: it has only the time in which a process that is not quite hung can end. A program
 * that is not Node.js may report where it is when it gets SIGABRT.
 */
export function endingSteps(
  { isHung, capabilities }: Worker,
  reason: DrainReason,
  { stopSteps, drainTimeoutMs, killDelayMs }: LifecycleSettings,
): readonly EndStep[] {
  if (isHung) return [{ signal: capabilities.reports ? 'SIGTERM' : 'SIGABRT', waitMs: killDelayMs }];
  if (reason === 'stop' && stopSteps !== null) return stopSteps;
  return [
    { signal: null, waitMs: drainTimeoutMs },
    { signal: 'SIGTERM', waitMs: killDelayMs },
  ];
}

/** The longest start or drain, however often the worker asks for more time. */
const longestMs = 3_600_000;

/** Gives a worker the time that it asks for, if that is more than it has. */
function extend(
  worker: Worker,
  { at, needsMs }: Extract<WorkerInput, { type: 'workerNeedsTime' }>,
  timer: 'ready' | 'drain',
  timeoutMs: number,
): WorkerStep {
  const { phaseSince } = worker;
  const due = worker.extendedTo ?? phaseSince + timeoutMs;
  const wanted = Math.min(at + needsMs, phaseSince + longestMs);
  if (wanted <= due) return { worker, effects: [], verdict: null };
  return {
    worker: { ...worker, extendedTo: wanted },
    effects: [{ type: 'armTimer', key: { timer, worker: worker.id }, delayMs: wanted - at }],
    verdict: null,
  };
}

/** Gives a starting worker the time that it asks for. */
export const extendStart: Row['workerNeedsTime'] = (worker, input, { readyTimeoutMs }) =>
  extend(worker, input, 'ready', readyTimeoutMs);

/** Gives a draining worker the time that it asks for. */
export const extendDrain: Row['workerNeedsTime'] = (worker, input) =>
  extend(worker, input, 'drain', worker.ending[0]?.waitMs ?? 0);

/** Handles a worker that is still there after the deadline of a step: begins the next step, or kills it after the last one. */
export function escalate(worker: Worker, { at }: { readonly at: number }): WorkerStep {
  const ending = worker.ending.slice(1);
  const [next] = ending;
  if (next === undefined) return killed(worker, at, worker.isHung ? 'hung' : 'drainTimeout');
  // Only the first step may have a signal of null, which is that of the worker.
  const signal = next.signal ?? 'SIGTERM';
  return {
    worker: { ...enter(worker, 'terminating', at), ending },
    effects: [
      announce({ event: 'workerTerminated', ...change(worker, 'terminating', at), signal }),
      { type: 'signalGroup', worker: worker.id, signal },
      { type: 'armTimer', key: { timer: 'kill', worker: worker.id }, delayMs: next.waitMs },
    ],
    verdict: null,
  };
}
