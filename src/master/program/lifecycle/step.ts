/**
 * Decides what happens to a program: (program, input) -> (program, effects). Pure and total: it throws for no program and input, and uses no clock
 * and no process. The runner feeds it inputs and carries out its effects.
 */
import type { Effect, LifecycleInput, Step, WorkerInput } from './inputs.ts';
import { introductions } from './introductions.ts';
import { drainEarlierGenerations } from './probation.ts';
import { stepProgram } from './program-table.ts';
import { admitIfComplete } from './program-moves.ts';
import { tendReplacements } from './replacement.ts';
import { cutStep, isStuck, tendCandidate } from './rollout.ts';
import type { Program } from './state.ts';
import { stepWorker } from './worker-table.ts';

export function step(program: Program, input: LifecycleInput): Step<Program> {
  const out: Effect[] = [];
  const next = isAboutWorker(input) ? stepOneWorker(program, input, out) : stepProgram(program, input, out);
  const { at } = input;
  const tended = tendCandidate(tendWorkers(next, at, out), at, out);
  const moved = isStuck(tended) ? admitIfComplete(cutStep(tended), at, out) : tended;
  // Called a second time, because a worker that is being replaced may have been given up for the reload, and a canary may serve by now.
  const state = tendWorkers(moved, at, out);
  return { state, effects: [...out, ...introductions(program, state)] };
}

function tendWorkers(program: Program, at: number, out: Effect[]): Program {
  return tendReplacements(drainEarlierGenerations(program, at, out), at, out);
}

function stepOneWorker(program: Program, input: WorkerInput, out: Effect[]): Program {
  const worker = program.workers.find(({ id }) => id === input.worker);
  // The input is a late exit, a stale timer or a late message: the worker is gone.
  if (worker === undefined) return program;
  const result = stepWorker(worker, input, program.settings);
  out.push(...result.effects);
  const workers = program.workers.flatMap((one) => (one === worker ? (result.worker ?? []) : one));
  const next = { ...program, workers };
  const { verdict } = result;
  return verdict === null ? next : stepProgram(next, { ...verdict, at: input.at, worker }, out);
}

function isAboutWorker(input: LifecycleInput): input is WorkerInput {
  return 'worker' in input;
}
