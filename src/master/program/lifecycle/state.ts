/**
 * What the lifecycle knows of a program: plain data, from which everything else is derived.
 * Processes, sockets, clocks and timers are in the folders around this one.
 */
import type {
  Failure,
  Outcome,
  ProgramPhase,
  ReplacementCause,
  WorkerPhase,
} from '../../../shared/events.ts';

/** The bounds that the lifecycle keeps. All durations in ms. */
export interface LifecycleSettings {
  /** How long a worker may take to become ready, and then, once it is admitted, to confirm that it accepts. */
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** How long the generation before a new one can take over again; 0: not at all. */
  readonly probationMs: number;
  /** From SIGTERM at the drain timeout to SIGKILL. */
  readonly killDelayMs: number;
  /** What a worker is sent at a stop, before SIGKILL; null: as if it were to drain for another reason. */
  readonly stopSteps: readonly EndStep[] | null;
  /** A pending reload begins once no further one was requested for this long, so that a storm of requests becomes one reload. */
  readonly debounceMs: number;
  /** A signal to stop that comes this soon after the first request is the same request, not a more urgent one. */
  readonly sameStopMs: number;
  /** A reload waits while this many old generations still drain. */
  readonly maxDrainingGenerations: number;
  /** Its workers can be replaced by others that start beside them. */
  readonly overlaps: boolean;
  /** From the beginning of one replacement of a worker to that of the next one, at least. */
  readonly replacementIntervalMs: number;
  readonly rollout: RolloutSettings;
  readonly backoff: BackoffSettings;
  readonly restart: RestartSettings;
}

/** How many workers of a new generation are started at a time. */
export interface RolloutSettings {
  /** How many more workers than are wanted may run during a reload; null: any number. */
  readonly maxSurge: Amount | null;
  /** How many fewer than are wanted may serve. */
  readonly maxUnavailable: Amount;
  /** How long the workers of a step serve before the next step begins. */
  readonly pauseMs: number;
  /** How many workers the first step has at most; 0: as many as the others. */
  readonly canary: number;
  /** How long these serve before the next step begins. */
  readonly canaryMs: number;
}

/** A number of workers, or a share (0 to 1) of those that are wanted. */
export type Amount = { readonly count: number } | { readonly share: number };

/** What is started again after it has ended by itself. */
export interface RestartSettings {
  /** Workers that were ready. `unexpected`: unless they ended with one of `exitCodes`. */
  readonly autorestart: 'always' | 'unexpected' | 'never';
  readonly exitCodes: readonly number[];
  /** How often a start that has failed is tried again before the program is given up. */
  readonly startRetries: number;
  /** So many deaths of workers of the serving generation within this time are a loop, and nothing is started again. Null: there is no such limit. */
  readonly crashLoop: { readonly deaths: number; readonly windowMs: number } | null;
}

/** A signal, and how long a worker may then take to exit. */
export interface EndStep {
  /** Null: the one that tells it to drain. */
  readonly signal: EndSignal | null;
  readonly waitMs: number;
}

export type EndSignal =
  `SIG${'TERM' | 'ABRT' | 'INT' | 'QUIT' | 'HUP' | 'USR1' | 'USR2' | 'WINCH' | 'ALRM' | 'TSTP'}`;

/** What a worker can do. A worker has them when its own process has said ready on the channel, whatever command it was started with. */
export interface Capabilities {
  /**
   * It accepts only once it is admitted, and can be paused. Without: it may accept as soon as it runs. So it counts as admitted once it is
   * ready, it is drained where a gated worker would be killed, and it cannot wait out a probation.
   */
  readonly isGated: boolean;
  /** Its connections can move to another worker. */
  readonly migrates: boolean;
  /** It reports what it still has open, and at its end what it served. */
  readonly reports: boolean;
}

/** Those of a program that does not know graceful-run. */
export const noCapabilities: Capabilities = { isGated: false, migrates: false, reports: false };

export interface BackoffSettings {
  readonly kind: 'exponential' | 'linear';
  readonly firstMs: number;
  readonly maxMs: number;
  /** A worker that was ready for this long was healthy: its failures are forgotten. */
  readonly healthyAfterMs: number;
  /** What the jitter of exponential pauses is made from; null: they have none. */
  readonly jitterSeed: number | null;
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
  /** The deadline for starting or draining, if it has requested more time than it would have had; else null. */
  readonly extendedTo: number | null;
  /** How it is being ended: the present step, and those after it, before SIGKILL. Empty: it was not told to end. */
  readonly ending: readonly EndStep[];
  /** When it became ready; null before. */
  readonly readyAt: number | null;
  /** A ready worker is asked to accept, and has then to confirm that it does. */
  readonly admission: 'notAsked' | 'asked' | 'confirmed';
  /** It takes connections of draining workers. */
  readonly takesConnections: boolean;
  /** It keeps the connections that it has and accepts no new ones, until it is told to accept again or to drain. */
  readonly isPaused: boolean;
  /** It gives no sign of life. */
  readonly isHung: boolean;
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
  /** The last worker that has ended in it was ready. */
  readonly hasEndedReady: boolean;
  /** Its worker has ended, and none takes its place; null: one does, or will. */
  readonly rest: SlotRest | null;
}

/** How the last worker of a slot ended, of which no other one takes the place. */
export interface SlotRest {
  /** Null: it was not ready, or could not be started. */
  readonly outcome: Outcome | null;
  /** Why the slot was given up; null: the worker was not to be replaced. */
  readonly failure: Failure | null;
}

/** The workers started by one start or reload. */
export interface Generation {
  readonly number: number;
  readonly startedAt: number;
  readonly slots: readonly Slot[];
}

/** The workers that are to be replaced although they serve. */
export interface Replacements {
  /** In the order in which that was found, the one whose replacement is under way included. */
  readonly wanted: readonly { readonly worker: number; readonly cause: ReplacementCause }[];
  /** The ids of the worker that is replaced and of the one that is started for its slot. */
  readonly underWay: { readonly worker: number; readonly successor: number } | null;
  /** No replacement begins before this time. */
  readonly notBefore: number;
  /** When they are looked at again; null: no timer is armed for that. */
  readonly dueAt: number | null;
  /** How many in a row have failed, or became necessary soon after the worker was ready. */
  readonly failures: number;
}

export const noReplacements: Replacements = {
  wanted: [],
  underWay: null,
  notBefore: 0,
  dueAt: null,
  failures: 0,
};

/** How far a reload has come. */
export interface Rollout {
  /** So many slots of the candidate were given a worker by earlier steps. */
  readonly done: number;
  /** The present step is the first one, and has fewer workers than it could. */
  readonly isCanary: boolean;
  /** There is no room for the rest of the present step: it ends with the workers that it has. */
  readonly isCut: boolean;
  /** When the first workers of the candidate began to serve; null: none has yet. */
  readonly servesSince: number | null;
  /** When the next step begins; null: the workers of the present one do not serve yet. */
  readonly nextAt: number | null;
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
  /** When workers of the serving generation died: as many of the last ones as can be a loop. */
  readonly deaths: readonly number[];
  readonly replacements: Replacements;
}

export interface Idle extends Common {
  readonly phase: 'idle';
}
/** The first generation starts. No worker accepts yet: clients wait in the backlog. */
export interface Starting extends Common {
  readonly phase: 'starting';
  readonly candidate: Generation;
  /** Starts in a row that have failed before this one. */
  readonly failures: number;
}
/** The first generation has failed, and another one is started after a while: clients wait in the backlog. */
export interface Backoff extends Common {
  readonly phase: 'backoff';
  /** Starts in a row that have failed. */
  readonly failures: number;
  readonly retryAt: number;
  /** Of the last one. */
  readonly failure: Failure;
}
/** `current` serves; crashed workers are replaced. */
export interface Serving extends Common {
  readonly phase: 'serving';
  readonly current: Generation;
}
/**
 * `current` keeps serving while `candidate` proves itself. In a reload in steps, workers of both serve: `current` has those slots whose old workers were not told to
 * go.
 */
export interface Reloading extends Common {
  readonly phase: 'reloading';
  readonly current: Generation;
  readonly candidate: Generation;
  readonly rollout: Rollout;
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
/** Every worker was told to end, or has ended by itself. */
export interface Stopping extends Common {
  readonly phase: 'stopping';
  /** When a stop was first requested; null when none was. */
  readonly askedAt: number | null;
  /** Why it was given up; null: it was not. */
  readonly failure: Failure | null;
  /** How it ended by itself; null: it did not. */
  readonly outcome: Outcome | null;
  /** It is about to be started again, and clients wait in the queues of its listeners. */
  readonly keepsListeners: boolean;
}
/** It was stopped, and nothing of it is left. It can be started again, as from the two phases below. */
export interface Stopped extends Common {
  readonly phase: 'stopped';
}
/** All of its workers have ended by themselves and are not to be started again. */
export interface Exited extends Common {
  readonly phase: 'exited';
  readonly outcome: Outcome;
}
/** It was given up: it did not come to serve, or its workers died again and again. */
export interface Failed extends Common {
  readonly phase: 'failed';
  readonly failure: Failure;
}

/** What has no process and no timer. */
export type Resting = Idle | Stopped | Exited | Failed;

export type Program = Resting | Starting | Backoff | Serving | Reloading | OnProbation | Stopping;

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
    deaths: [],
    replacements: noReplacements,
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
  deaths,
  replacements,
}: Program): Common {
  return {
    settings,
    workersWanted,
    workers,
    lastGeneration,
    lastWorkerId,
    pendingSince,
    deaths,
    replacements,
  };
}

/** Whether a program has no process and no timer: it is not started, or has come to rest. */
export function isResting(program: Program): program is Resting {
  const { phase } = program;
  return phase === 'idle' || phase === 'stopped' || phase === 'exited' || phase === 'failed';
}

/** Whether a program is started, or waits for the retry of its start, and was not told to stop. */
export function isRunning(program: Program): boolean {
  return !isResting(program) && program.phase !== 'stopping';
}

/** Whether a worker was told to end. */
export function isLeaving({ phase }: Pick<Worker, 'phase'>): boolean {
  return phase === 'draining' || phase === 'terminating' || phase === 'killing';
}

/** Whether a worker has confirmed that it accepts, was not told to stop that, and is not hung. */
export function isAccepting({ phase, admission, isPaused, isHung }: Worker): boolean {
  return phase === 'ready' && admission === 'confirmed' && !isPaused && !isHung;
}

/** The generation that serves, if one does. */
export function servingGeneration(program: Program): Generation | null {
  return 'current' in program ? program.current : null;
}

/** The generations of a program that have slots. */
export function generationsOf(program: Program): readonly Generation[] {
  const previous = program.phase === 'probation' ? program.previous : null;
  return [servingGeneration(program), candidateGeneration(program), previous].filter((one) => one !== null);
}

/** The generation that has yet to prove itself, if there is one. */
export function candidateGeneration(program: Program): Generation | null {
  return program.phase === 'starting' || program.phase === 'reloading' ? program.candidate : null;
}
