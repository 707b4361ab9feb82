/** The commands of a program to its workers. Each function returns the program as it is afterwards and adds the effects to `out`. Pure. */
import type { MasterEvent } from '../../../shared/events.ts';
import type { DrainReason } from '../../../shared/protocol.ts';
import type { Effect } from './inputs.ts';
import type { Generation, Program, Worker } from './state.ts';
import { stepWorker } from './worker-table.ts';
import type { WorkerCommand } from './worker-step.ts';

/** Drains `workers`. A gated one that is not ready is killed, because it holds no connection. */
export function drainWorkers<P extends Program>(
  program: P,
  workers: readonly Worker[],
  reason: DrainReason,
  at: number,
  out: Effect[],
): P {
  return command(program, workers, { type: 'drain', at, reason }, out);
}

/** Lets `workers` accept connections; those that were asked before are not asked again. */
export function admitWorkers<P extends Program>(
  program: P,
  workers: readonly Worker[],
  at: number,
  out: Effect[],
): P {
  return command(program, workers, { type: 'admit', at }, out);
}

/** Lets `workers` keep their connections and accept no new ones. A gated worker that is not ready has none, and is killed; one without a gate drains. */
export function pauseWorkers<P extends Program>(
  program: P,
  workers: readonly Worker[],
  at: number,
  out: Effect[],
): P {
  return command(program, workers, { type: 'pause', at }, out);
}

/** Pauses those of `workers` that accept and can be paused for a moment. Their states do not change: they accept again by themselves. */
export function pauseBriefly(workers: readonly Worker[], out: Effect[]): void {
  for (const { id, phase, admission, isPaused, capabilities } of workers)
    if (phase === 'ready' && admission === 'confirmed' && !isPaused && capabilities.isGated)
      out.push({ type: 'pauseWorkerBriefly', worker: id });
}

/** Lets paused `workers` accept again. */
export function resumeWorkers<P extends Program>(
  program: P,
  workers: readonly Worker[],
  at: number,
  out: Effect[],
): P {
  return command(program, workers, { type: 'resume', at }, out);
}

/** Kills `workers` with their process groups. */
export function killWorkers<P extends Program>(
  program: P,
  workers: readonly Worker[],
  reason: Extract<MasterEvent, { event: 'workerKilled' }>['reason'],
  at: number,
  out: Effect[],
): P {
  return command(program, workers, { type: 'kill', at, reason }, out);
}

/** Lets go of a generation that has failed, except for the workers with these ids. Workers that may have accepted connections finish them. */
export function dismissGeneration<P extends Program>(
  program: P,
  generation: Generation,
  except: readonly (number | null)[],
  at: number,
  out: Effect[],
): P {
  const workers = workersOf(program, generation).filter(({ id }) => !except.includes(id));
  const accepting = workers.filter(
    ({ admission, capabilities }) => admission !== 'notAsked' || !capabilities.isGated,
  );
  const remaining = killWorkers(
    program,
    workers.filter((worker) => !accepting.includes(worker)),
    'rollback',
    at,
    out,
  );
  return drainWorkers(remaining, accepting, 'rollback', at, out);
}

/** The workers of a generation: those that were started for it, and those of a failed later generation that have remained in its slots. */
export function workersOf(program: Program, { number, slots }: Generation): readonly Worker[] {
  return program.workers.filter(
    ({ generation, id }) => generation === number || slots.some(({ workerId }) => workerId === id),
  );
}

export function workersById(program: Program, id: number): readonly Worker[] {
  return program.workers.filter((worker) => worker.id === id);
}

function command<P extends Program>(
  program: P,
  workers: readonly Worker[],
  input: WorkerCommand,
  out: Effect[],
): P {
  const ids = new Set(workers.map(({ id }) => id));
  const next = program.workers.flatMap((worker) => {
    if (!ids.has(worker.id)) return [worker];
    const step = stepWorker(worker, input, program.settings);
    out.push(...step.effects);
    return step.worker === null ? [] : [step.worker];
  });
  return { ...program, workers: next };
}
