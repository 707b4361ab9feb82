/** What several cells of a worker's table do: enter a phase, announce it, kill. Pure. */
import type { MasterEvent, WorkerPhase } from '../../../shared/events.ts';
import type { Effect } from './inputs.ts';
import type { Worker } from './state.ts';
import type { KillReason, WorkerStep } from './worker-step.ts';

export function killed(worker: Worker, at: number, reason: KillReason): WorkerStep {
  return {
    worker: enter(worker, 'killing', at),
    effects: [
      disarm('ready', worker),
      ...disarmAdmit(worker),
      disarm('drain', worker),
      disarm('kill', worker),
      announce({ event: 'workerKilled', ...change(worker, 'killing', at), reason }),
      { type: 'signalGroup', worker: worker.id, signal: 'SIGKILL' },
    ],
    verdict: null,
  };
}

export function enter(worker: Worker, phase: WorkerPhase, at: number): Worker {
  return { ...worker, phase, phaseSince: at };
}

export function identity({ generation, slot, pid }: Worker): Pick<Worker, 'generation' | 'slot' | 'pid'> {
  return { generation, slot, pid };
}

export function change<To extends WorkerPhase | 'exited'>(
  worker: Worker,
  to: To,
  at: number,
): { generation: number; slot: number; pid: number | null; from: WorkerPhase; to: To; durationMs: number } {
  return { ...identity(worker), from: worker.phase, to, durationMs: at - worker.phaseSince };
}

export function announce(event: MasterEvent): Effect {
  return { type: 'announce', event };
}

export function disarm(timer: 'ready' | 'admit' | 'drain' | 'kill', worker: Worker): Effect {
  return { type: 'disarmTimer', key: { timer, worker: worker.id } };
}

export function disarmAdmit(worker: Worker): readonly Effect[] {
  return worker.admission === 'asked' ? [disarm('admit', worker)] : [];
}
