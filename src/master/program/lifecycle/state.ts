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
  /** How long the previous generation can take over again after a reload; 0: not at all. */
  readonly probationMs: number;
  /** From SIGTERM at the drain timeout to SIGKILL. */
  readonly killDelayMs: number;
  /** The steps of a stop before SIGKILL, or null: then workers are stopped as they drain for other reasons. */
  readonly stopSteps: readonly EndStep[] | null;
  /** A pending reload begins once no further one was requested for this long, so that a storm of requests becomes one reload. */
  readonly debounceMs: number;
  /** A signal to stop that comes this soon after the first request is the same request, not a more urgent one. */
  readonly sameStopMs: number;
  /** A reload waits while this many old generations still drain. */
  readonly maxDrainingGenerations: number;
  /** Whether workers can be replaced by others that start beside them. */
  readonly overlaps: boolean;
  /** The minimum time between the beginnings of two replacements of workers. */
  readonly replacementIntervalMs: number;
  readonly rollout: RolloutSettings;
  readonly backoff: BackoffSettings;
  readonly restart: RestartSettings;
}

/** How many workers of a new generation are started at a time. */
export interface RolloutSettings {
  /** How many more workers than are wanted may run during a reload; null: any number. */
  readonly maxSurge: Amount | null;
  /** How many fewer workers than are wanted may serve during a reload. */
  readonly maxUnavailable: Amount;
  /** How long the workers of a step serve before the next step begins. */
  readonly pauseMs: number;
  /** How many workers the first step has at most; 0: as many as the others. */
  readonly canary: number;
  /** How long the workers of a canary serve before the next step begins. */
  readonly canaryMs: number;
}

/** A number of workers, or a share (0 to 1) of those that are wanted. */
export type Amount = { readonly count: number } | { readonly share: number };

/** When workers and programs that have ended by themselves are started again. */
export interface RestartSettings {
  /** Whether workers that were ready are started again. `unexpected`: unless they ended with one of `exitCodes`. */
  readonly autorestart: 'always' | 'unexpected' | 'never';
  readonly exitCodes: readonly number[];
  /** How often a failed start is repeated before the program is given up. */
  readonly startRetries: number;
  /** If so many workers of the serving generation die within this time, it is a loop, and no worker is started again. Null: there is no such limit. */
  readonly crashLoop: { readonly deaths: number; readonly windowMs: number } | null;
}

/** A signal, and how long a worker may then take to exit. */
export interface EndStep {
  /** The signal to send, or null for the one that tells the worker to drain. */
  readonly signal: EndSignal | null;
  readonly waitMs: number;
}

export type EndSignal =
  `SIG${'TERM' | 'ABRT' | 'INT' | 'QUIT' | 'HUP' | 'USR1' | 'USR2' | 'WINCH' | 'ALRM' | 'TSTP'}`;

/** What a worker can do, whatever command it was started with. It has capabilities once its own process has said ready on the channel. */
export interface Capabilities {
  /**
   * Whether the worker gets connections only once it is admitted, and can be paused: because its process waits for that, or because the master keeps
   * connections away from it. A worker without a gate may accept as soon as it runs. So it counts as admitted once it is ready, it is drained where a
   * gated worker would be killed, and it cannot wait out a probation.
   */
  readonly isGated: boolean;
  /** Whether the worker's connections can move to another worker. */
  readonly migrates: boolean;
  /** Whether the worker reports what it still has open and, at its end, what it served. */
  readonly reports: boolean;
}

/** The capabilities of a program that does not know graceful-run. */
export const noCapabilities: Capabilities = { isGated: false, migrates: false, reports: false };

export interface BackoffSettings {
  readonly kind: 'exponential' | 'linear';
  readonly firstMs: number;
  readonly maxMs: number;
  /** How long a worker has to be ready to count as healthy: then earlier failures are forgotten. */
  readonly healthyAfterMs: number;
  /** The seed of the jitter of exponential pauses; null for no jitter. */
  readonly jitterSeed: number | null;
}

/** One worker, from the request for it until its process is reaped. */
export interface Worker {
  /** The id of the worker. It is unique within the master's life and never used again, so a late input finds no worker. */
  readonly id: number;
  readonly generation: number;
  readonly slot: number;
  /** The pid of the worker; null until its process exists. */
  readonly pid: number | null;
  readonly phase: WorkerPhase;
  /** When the worker entered its phase, and when it was started. */
  readonly phaseSince: number;
  readonly startedAt: number;
  /** The known capabilities: before the worker is ready, only whether it is gated. A worker without a process counts as gated, because it accepts nothing. */
  readonly capabilities: Capabilities;
  /** The deadline for starting or draining, if the worker has requested more time than it would have had; null otherwise. */
  readonly extendedTo: number | null;
  /** The steps of the worker's ending before SIGKILL, the present one first. Empty if it was not told to end. */
  readonly ending: readonly EndStep[];
  /** When the worker became ready; null before that. */
  readonly readyAt: number | null;
  /** Whether the worker was asked to accept, and has confirmed it. It is asked once it is ready. */
  readonly admission: 'notAsked' | 'asked' | 'confirmed';
  /** Whether the worker takes connections of draining workers. */
  readonly takesConnections: boolean;
  /** Whether the worker is paused: it keeps its connections and accepts no new ones, until it is told to accept again or to drain. */
  readonly isPaused: boolean;
  /** Whether the worker is hung: it gives no sign of life. */
  readonly isHung: boolean;
}

/** A worker's place in a generation. It outlives the workers that crash in it. */
export interface Slot {
  readonly index: number;
  /** How many workers have failed in it in a row, for the backoff. */
  readonly failures: number;
  /** The worker in this slot; null while a restart is pending. */
  readonly workerId: number | null;
  /** When a pending restart is due; null if none is pending. */
  readonly restartAt: number | null;
  /** Whether the last worker that has ended in the slot was ready. */
  readonly hasEndedReady: boolean;
  /** How the last worker of the slot ended, if no other one takes its place; null if one does, or will. */
  readonly rest: SlotRest | null;
}

/** How the last worker of a slot ended that gets no other worker. */
export interface SlotRest {
  /** How the worker ended, or null if it was not ready, or could not be started. */
  readonly outcome: Outcome | null;
  /** Why the slot was given up, or null if the worker was not to be replaced. */
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
  /** The workers to replace, in the order in which they were noticed, including the one whose replacement is under way. */
  readonly wanted: readonly { readonly worker: number; readonly cause: ReplacementCause }[];
  /** The ids of the worker that is being replaced and of the one that was started for its slot; null if no replacement is under way. */
  readonly underWay: { readonly worker: number; readonly successor: number } | null;
  /** No replacement begins before this time. */
  readonly notBefore: number;
  /** When the replacements are examined again; null if no timer is armed for that. */
  readonly dueAt: number | null;
  /** How many replacements in a row have failed, or became necessary soon after the worker was ready. */
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
  /** How many slots of the candidate were given a worker by earlier steps. */
  readonly done: number;
  /** Whether the present step is the canary: the first one, with fewer workers than it could have. */
  readonly isCanary: boolean;
  /** Whether the present step ends with the workers that it has, because there is no room for the others. */
  readonly isCut: boolean;
  /** When the first workers of the candidate began to serve; null: none has yet. */
  readonly servesSince: number | null;
  /** When the next step begins; null while the workers of the present one do not serve yet. */
  readonly nextAt: number | null;
}

interface Common {
  readonly settings: LifecycleSettings;
  readonly workersWanted: number;
  /** All workers that are not reaped yet: those of the current generation, of a candidate, and those that are ending. */
  readonly workers: readonly Worker[];
  readonly lastGeneration: number;
  readonly lastWorkerId: number;
  /** When the pending reload was last requested; null if none is pending. */
  readonly pendingSince: number | null;
  /** When workers of the serving generation died, limited to the last ones that can make up a loop. */
  readonly deaths: readonly number[];
  readonly replacements: Replacements;
}

export interface Idle extends Common {
  readonly phase: 'idle';
}
/** The first generation starts. No worker accepts yet, so clients wait in the backlog. */
export interface Starting extends Common {
  readonly phase: 'starting';
  readonly candidate: Generation;
  /** How many starts in a row have failed before this one. */
  readonly failures: number;
}
/** The first generation has failed, and another one will be started after a while. Clients wait in the backlog. */
export interface Backoff extends Common {
  readonly phase: 'backoff';
  /** How many starts in a row have failed. */
  readonly failures: number;
  readonly retryAt: number;
  /** The failure of the last start. */
  readonly failure: Failure;
}
/** `current` serves; crashed workers are replaced. */
export interface Serving extends Common {
  readonly phase: 'serving';
  readonly current: Generation;
}
/**
 * `current` keeps serving while `candidate` proves itself. In a reload in steps, workers of both serve: `current` has only the slots whose old workers
 * were not told to go.
 */
export interface Reloading extends Common {
  readonly phase: 'reloading';
  readonly current: Generation;
  readonly candidate: Generation;
  readonly rollout: Rollout;
}
/** `current` serves, and may still turn out to be bad. Then `previous`, which is paused and keeps its connections, accepts again. */
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
  /** When a stop was first requested; null if none was. */
  readonly askedAt: number | null;
  /** Why the program was given up, or null if it was not. */
  readonly failure: Failure | null;
  /** How the program ended by itself, or null if it did not. */
  readonly outcome: Outcome | null;
  /** Whether the program is about to be started again, so that clients wait in the queues of its listeners. */
  readonly keepsListeners: boolean;
}
/** The program was stopped, and nothing of it is left. It can be started again, as it can in the two phases below. */
export interface Stopped extends Common {
  readonly phase: 'stopped';
}
/** All workers of the program have ended by themselves and are not to be started again. */
export interface Exited extends Common {
  readonly phase: 'exited';
  readonly outcome: Outcome;
}
/** The program was given up: it did not come to serve, or its workers died again and again. */
export interface Failed extends Common {
  readonly phase: 'failed';
  readonly failure: Failure;
}

/** The phases in which a program has no process and no timer. */
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

/** The part of a program that it has in every phase. */
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
