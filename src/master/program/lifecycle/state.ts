/**
 * What the lifecycle knows of a program: plain data, from which everything else is derived.
 * Processes, sockets, clocks and timers are in the folders around this one.
 */
import type { Failure, ProgramPhase, WorkerPhase } from '../../../shared/events.ts';

/** The bounds that the lifecycle keeps. All durations in ms. */
export interface LifecycleSettings {
  /** How long a worker may take to become ready, and then, once it is admitted, to confirm that it accepts. */
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** How long the generation before a new one can take over again; 0: not at all. */
  readonly probationMs: number;
  /** From SIGTERM at the drain timeout to SIGKILL. */
  readonly killDelayMs: number;
  /** A pending reload begins once no further one was requested for this long, so that a storm of requests becomes one reload. */
  readonly settleMs: number;
  /** A signal to stop that comes this soon after the first request is the same request, not a more urgent one. */
  readonly sameStopMs: number;
  /** A reload waits while this many old generations still drain. */
  readonly maxDrainingGenerations: number;
  readonly backoff: BackoffSettings;
}

/** What a worker can do. A worker has them when its own process has said ready on the channel, whatever command it was started with. */
export interface Capabilities {
  /**
   * It accepts only once it is admitted, and can be paused. Without: it may accept as soon as it runs. So it counts as admitted once it is
   * ready, it is drained where a gated worker would be killed, and it cannot wait out a probation.
   */
  readonly isGated: boolean;
  /** Its connections can move to another worker. */
  readonly migrates: boolean;
  /** It tells what it still has open, and at its end what it served. */
  readonly reports: boolean;
}

/** Those of a program that does not know graceful-run. */
export const noCapabilities: Capabilities = { isGated: false, migrates: false, reports: false };

export interface BackoffSettings {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A worker that was ready for this long was healthy: its failures are forgotten. */
  readonly healthyAfterMs: number;
}

/** One process, from the moment it is asked for until it is reaped. */
export interface Worker {
  /** Unique within the master's life and never used again, so a late input finds no worker. */
  readonly id: number;
  readonly generation: number;
  readonly slot: number;
  /** Null until the process exists. */
  readonly pid: number | null;
  readonly phase: WorkerPhase;
  /** When it entered its phase, and when it was started. */
  readonly phaseSince: number;
  readonly startedAt: number;
  /** What is known of it: before it is ready, only whether it is gated. A worker without a process accepts nothing, so it is. */
  readonly capabilities: Capabilities;
  /** Until when it may take for what it does, if it has asked for more time than it would have had; else null. */
  readonly extendedTo: number | null;
  /** When it became ready; null before. */
  readonly readyAt: number | null;
  /** A ready worker is asked to accept, and has then to confirm that it does. */
  readonly admission: 'notAsked' | 'asked' | 'confirmed';
  /** It adopts connections of draining workers. */
  readonly adopts: boolean;
  /** It keeps the connections that it has and accepts no more, until it is told to accept again or to drain. */
  readonly isPaused: boolean;
}

/** A worker's place in a generation. It outlives the workers that crash in it. */
export interface Slot {
  readonly index: number;
  /** Failures in a row, for the backoff. */
  readonly failures: number;
  /** The worker in this slot; null while a restart is pending. */
  readonly workerId: number | null;
  /** When a pending restart is due; null when none is. */
  readonly restartAt: number | null;
}

/** The workers started by one start or reload. */
export interface Generation {
  readonly number: number;
  readonly startedAt: number;
  readonly slots: readonly Slot[];
}

interface Common {
  readonly settings: LifecycleSettings;
  readonly workersWanted: number;
  /** Every process that is not reaped yet: of the current generation, of a candidate, and those that end. */
  readonly workers: readonly Worker[];
  readonly lastGeneration: number;
  readonly lastWorkerId: number;
  /** When the pending reload was last requested; null when none is pending. */
  readonly pendingSince: number | null;
}

export interface Idle extends Common {
  readonly phase: 'idle';
}
/** The first generation starts. No worker accepts yet: clients wait in the backlog. */
export interface Starting extends Common {
  readonly phase: 'starting';
  readonly candidate: Generation;
}
/** `current` serves; crashed workers are replaced. */
export interface Serving extends Common {
  readonly phase: 'serving';
  readonly current: Generation;
}
/** `current` keeps serving while `candidate` proves itself. */
export interface Reloading extends Common {
  readonly phase: 'reloading';
  readonly current: Generation;
  readonly candidate: Generation;
}
/** `current` serves, and may still turn out to be bad: `previous` is paused, with its connections, and accepts again if it does. */
export interface OnProbation extends Common {
  readonly phase: 'probation';
  readonly current: Generation;
  readonly previous: Generation;
  /** When `current` began to serve, and when its probation is over. */
  readonly since: number;
  readonly until: number;
}
/** Every worker was told to end; `failure` is why, unless a stop was requested. */
export interface Stopping extends Common {
  readonly phase: 'stopping';
  /** When a stop was first requested; null when none was. */
  readonly askedAt: number | null;
  readonly failure: Failure | null;
  /** It is about to be started again, and clients wait in the queues of its listeners. */
  readonly keepsListeners: boolean;
}
/** Nothing is left: it can be started again. `failure` is why it stopped, unless it was asked to. */
export interface Stopped extends Common {
  readonly phase: 'stopped';
  readonly failure: Failure | null;
}

export type Program = Idle | Starting | Serving | Reloading | OnProbation | Stopping | Stopped;

/** The program in one given phase. */
export type InPhase<Phase extends ProgramPhase> = Extract<Program, { phase: Phase }>;

export function idleProgram(settings: LifecycleSettings, workersWanted: number): Idle {
  return {
    phase: 'idle',
    settings,
    workersWanted,
    workers: [],
    lastGeneration: 0,
    lastWorkerId: 0,
    pendingSince: null,
  };
}

/** What a program has in every phase. */
export function commonOf({
  settings,
  workersWanted,
  workers,
  lastGeneration,
  lastWorkerId,
  pendingSince,
}: Program): Common {
  return { settings, workersWanted, workers, lastGeneration, lastWorkerId, pendingSince };
}

/** It has confirmed that it accepts, and was not told to stop that. */
export function isAccepting({ phase, admission, isPaused }: Worker): boolean {
  return phase === 'ready' && admission === 'confirmed' && !isPaused;
}

/** The generation that serves, if one does. */
export function servingGeneration(program: Program): Generation | null {
  return 'current' in program ? program.current : null;
}

/** Those that have slots. */
export function generationsOf(program: Program): readonly Generation[] {
  const previous = program.phase === 'probation' ? program.previous : null;
  return [servingGeneration(program), candidateGeneration(program), previous].filter((one) => one !== null);
}

/** The generation that has yet to prove itself, if there is one. */
export function candidateGeneration(program: Program): Generation | null {
  return program.phase === 'starting' || program.phase === 'reloading' ? program.candidate : null;
}
