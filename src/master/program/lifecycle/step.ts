/**
 * The heart of the master: (program, event) -> (program, effects). Pure and total: no state and event for which
 * it throws, no clock, no process. The shell feeds it events and carries out its effects.
 */
import type { Effect, LifecycleEvent, Step, WorkerEvent } from './inputs.ts';
import { introductions } from './introductions.ts';
import { stepProgram, type VerdictEvent } from './program-table.ts';
import type { Program, Worker } from './state.ts';
import { stepWorker, type Verdict } from './worker-table.ts';

export function step(program: Program, event: LifecycleEvent): Step<Program> {
  const out: Effect[] = [];
  const state = isAboutWorker(event) ? stepOneWorker(program, event, out) : stepProgram(program, event, out);
  return { state, effects: [...out, ...introductions(program, state)] };
}

function stepOneWorker(program: Program, event: WorkerEvent, out: Effect[]): Program {
  const worker = program.workers.find(({ id }) => id === event.worker);
  // A late exit, a stale timer, a message from the dead: about nobody that is still here.
  if (worker === undefined) return program;
  const result = stepWorker(worker, event, program.settings);
  out.push(...result.effects);
  const workers = program.workers.flatMap((one) => (one === worker ? (result.worker ?? []) : one));
  const input = verdictEvent(result.verdict, worker, event.at);
  return input === null ? { ...program, workers } : stepProgram({ ...program, workers }, input, out);
}

function verdictEvent(verdict: Verdict, worker: Worker, at: number): VerdictEvent | null {
  switch (verdict?.type) {
    case undefined:
      return null;
    case 'becameReady':
      return { type: 'workerBecameReady', at, worker };
    case 'lostProgram':
      return { type: 'workerLostIt', at, worker, failure: verdict.failure };
    case 'restartedItself':
      return { type: 'workerIsAnother', at, worker, failure: verdict.failure };
    case 'cannotPause':
      return { type: 'workerAcceptsOn', at, worker };
    case 'wasAdmitted':
      return { type: 'workerWasAdmitted', at, worker };
    case 'failed':
      return { type: 'workerFailed', at, worker, end: verdict.end };
    case 'left':
      return { type: 'workerLeft', at, worker };
    case 'gone':
      return { type: 'workerGone', at, worker };
  }
}

function isAboutWorker(event: LifecycleEvent): event is WorkerEvent {
  return 'worker' in event;
}
