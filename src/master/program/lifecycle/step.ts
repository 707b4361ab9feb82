/**
 * The heart of the master: (program, input) -> (program, effects). Pure and total: no state and event for which
 * it throws, no clock, no process. The runner feeds it inputs and carries out its effects.
 */
import type { Effect, LifecycleInput, Step, WorkerInput } from './inputs.ts';
import { introductions } from './introductions.ts';
import { stepProgram, type VerdictInput } from './program-table.ts';
import type { Program, Worker } from './state.ts';
import { stepWorker } from './worker-table.ts';
import type { Verdict } from './worker-step.ts';

export function step(program: Program, input: LifecycleInput): Step<Program> {
  const out: Effect[] = [];
  const state = isAboutWorker(input) ? stepOneWorker(program, input, out) : stepProgram(program, input, out);
  return { state, effects: [...out, ...introductions(program, state)] };
}

function stepOneWorker(program: Program, input: WorkerInput, out: Effect[]): Program {
  const worker = program.workers.find(({ id }) => id === input.worker);
  // A late exit, a stale timer, a late message: the worker is gone.
  if (worker === undefined) return program;
  const result = stepWorker(worker, input, program.settings);
  out.push(...result.effects);
  const workers = program.workers.flatMap((one) => (one === worker ? (result.worker ?? []) : one));
  const verdict = verdictInput(result.verdict, worker, input.at);
  return verdict === null ? { ...program, workers } : stepProgram({ ...program, workers }, verdict, out);
}

function verdictInput(verdict: Verdict, worker: Worker, at: number): VerdictInput | null {
  switch (verdict?.type) {
    case undefined:
      return null;
    case 'becameReady':
      return { type: 'workerBecameReady', at, worker };
    case 'lostProgram':
      return { type: 'workerProgramEnded', at, worker, failure: verdict.failure };
    case 'restartedItself':
      return { type: 'workerProgramRestarted', at, worker, failure: verdict.failure };
    case 'cannotPause':
      return { type: 'workerStillAccepts', at, worker };
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

function isAboutWorker(input: LifecycleInput): input is WorkerInput {
  return 'worker' in input;
}
