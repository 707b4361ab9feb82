/** The inputs of one worker's table, the results of its cells, and what several cells do: enter a phase, announce it, kill. Pure. */
import type { Failure, MasterEvent, ReplacementCause, WorkerPhase } from '../../../shared/events.ts';
import type { DrainReason } from '../../../shared/protocol.ts';
import type { Effect, WorkerEnd, WorkerInput } from './inputs.ts';
import type { LifecycleSettings, Worker } from './state.ts';

export type KillReason = Extract<MasterEvent, { event: 'workerKilled' }>['reason'];

/** A command of a program to one of its workers. */
export type WorkerCommand =
  | { readonly type: 'admit' | 'pause' | 'resume'; readonly at: number }
  | { readonly type: 'drain'; readonly at: number; readonly reason: DrainReason }
  | { readonly type: 'kill'; readonly at: number; readonly reason: KillReason };

export type WorkerTableInput = WorkerInput | WorkerCommand;

/** What the program has to know about the worker. */
export type Verdict =
  | { readonly type: 'workerBecameReady' }
  /** The worker's program is another process now, which is ready. */
  | { readonly type: 'workerProgramRestarted'; readonly failure: Failure }
  /** The worker's program is gone, and its command may start it again. */
  | { readonly type: 'workerProgramEnded'; readonly failure: Failure }
  /** The worker has confirmed that it accepts connections. */
  | { readonly type: 'workerWasAdmitted' }
  /** The worker was told to pause, and still accepts. */
  | { readonly type: 'workerStillAccepts' }
  /** The worker will not become ready. Its process may still be there, and ending. */
  | { readonly type: 'workerFailed'; readonly end: WorkerEnd }
  /** The worker gives no sign of life. */
  | { readonly type: 'workerFoundHung'; readonly cause: ReplacementCause }
  | { readonly type: 'workerCameBack' }
  /** The worker drains, although the program has not told it to. */
  | { readonly type: 'workerLeft' }
  /** The worker is gone, as it was told to go, or after it had said that it drains. */
  | { readonly type: 'workerGone'; readonly end: WorkerEnd };

export interface WorkerStep {
  /** The worker after the step; null if it is gone. */
  readonly worker: Worker | null;
  readonly effects: readonly Effect[];
  /** What the program has to know; null if nothing. */
  readonly verdict: Verdict | null;
}

export type Handler<Input> = (worker: Worker, input: Input, settings: LifecycleSettings) => WorkerStep;
export type Row = {
  readonly [Type in WorkerTableInput['type']]: Handler<Extract<WorkerTableInput, { type: Type }>>;
};

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
  return { ...worker, phase, phaseSince: at, extendedTo: null };
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
