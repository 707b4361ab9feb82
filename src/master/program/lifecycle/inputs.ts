/**
 * What the lifecycle of a program takes and gives: everything that it learns comes in as an input that carries its time, and everything that it
 * wants done leaves as an effect.
 */
import type {
  Cause,
  EventWithoutRelease,
  Failure,
  Outcome,
  ReplacementCause,
} from '../../../shared/events.ts';
import type { DrainReason } from '../../../shared/protocol.ts';
import type { Capabilities, EndSignal, LifecycleSettings } from './state.ts';

/** How a worker ended; `failure` says what that means if it was not told to end. */
export interface WorkerEnd {
  readonly outcome: Outcome | null;
  readonly failure: Failure;
  /** What it reported at the end of its drain; null when it reported nothing. */
  readonly served: number | null;
  readonly migrated: number | null;
  readonly drained: number | null;
  readonly cut: number | null;
  /** How many of the application's clean-ups were cut. */
  readonly cleanUpsCut: number;
}

/** The end of a worker that has reported nothing. */
export function silentEnd(failure: Failure): WorkerEnd {
  return { outcome: null, failure, served: null, migrated: null, drained: null, cut: null, cleanUpsCut: 0 };
}

/** Inputs about one process. `worker` is its id: one that is no longer known belongs to a worker that is gone. */
export type WorkerInput =
  | {
      readonly type: 'workerSpawned';
      readonly at: number;
      readonly worker: number;
      readonly pid: number;
      /** What was started is Node.js with the preload. */
      readonly isGated: boolean;
    }
  /** It is ready: it has said so, or was seen to be. A second time: it is known better now, and is another kind of process than it seemed. */
  | {
      readonly type: 'workerSaidReady';
      readonly at: number;
      readonly worker: number;
      readonly capabilities: Capabilities;
    }
  /** Its program ended, and its command (a shell, for example) started it again: the new process is ready. */
  | {
      readonly type: 'workerRestartedItself';
      readonly at: number;
      readonly worker: number;
      readonly capabilities: Capabilities;
      readonly failure: Failure;
    }
  /** Its program ended, and its command (a shell, for example) keeps running without it. */
  | {
      readonly type: 'workerLostProgram';
      readonly at: number;
      readonly worker: number;
      readonly failure: Failure;
    }
  /** It was told to keep its connections and accept no new ones, but cannot: it still accepts. */
  | { readonly type: 'workerCannotPause'; readonly at: number; readonly worker: number }
  /** It confirms that it accepts connections. */
  | { readonly type: 'workerAdmitted'; readonly at: number; readonly worker: number }
  /** It was admitted and does not accept: it said so, or did not confirm in time. */
  | {
      readonly type: 'admissionFailed';
      readonly at: number;
      readonly worker: number;
      readonly failure: Failure;
    }
  /** It can be introduced to workers that drain. */
  | { readonly type: 'workerTakesConnections'; readonly at: number; readonly worker: number }
  /** It drains because of a signal that the master did not send. */
  | { readonly type: 'workerSaidItDrains'; readonly at: number; readonly worker: number }
  /** It exited and was reaped, or it could not be started at all. */
  | { readonly type: 'workerEnded'; readonly at: number; readonly worker: number; readonly end: WorkerEnd }
  | {
      readonly type: 'workerNotReady';
      readonly at: number;
      readonly worker: number;
      readonly failure: Failure;
      /** True: it may have accepted connections, unless it is gated. False: none of its known processes can have. */
      readonly mayAccept: boolean;
    }
  /** It requests at least this much time from now on. */
  | {
      readonly type: 'workerNeedsTime';
      readonly at: number;
      readonly worker: number;
      readonly needsMs: number;
    }
  /** The process that its pid file names, which is the worker from now on. */
  | {
      readonly type: 'workerAdopted';
      readonly at: number;
      readonly worker: number;
      readonly pid: number;
      readonly how: 'running' | 'started' | 'changed';
    }
  /** It has given no sign of life for too long. May be said again while that is so. */
  | {
      readonly type: 'workerHung';
      readonly at: number;
      readonly worker: number;
      readonly cause: ReplacementCause;
    }
  /** It was hung, and has given a sign of life. */
  | { readonly type: 'workerAlive'; readonly at: number; readonly worker: number }
  | { readonly type: 'drainTimedOut'; readonly at: number; readonly worker: number }
  | { readonly type: 'killTimedOut'; readonly at: number; readonly worker: number };

/** How many workers more (or fewer), or how many in all. */
export type CountChange = number | { readonly to: number };

/** Requests, and timers of the program. */
export type ProgramInput =
  | { readonly type: 'startRequested'; readonly at: number }
  /** It was to be started, and cannot: its address is in use, for example. */
  | { readonly type: 'startRefused'; readonly at: number; readonly failure: Failure }
  /** Its plan has changed. Timers that are armed already keep their time. */
  | { readonly type: 'settingsChanged'; readonly at: number; readonly settings: LifecycleSettings }
  | { readonly type: 'reloadRequested'; readonly at: number; readonly cause: Cause }
  | {
      readonly type: 'stopRequested';
      readonly at: number;
      readonly cause: Cause;
      /** It is about to be started again: clients wait in the queues of its listeners. */
      readonly keepsListeners?: boolean;
      /** It is the second request for certain. */
      readonly isUrgent?: boolean;
    }
  | { readonly type: 'workerCountRequested'; readonly at: number; readonly change: CountChange }
  | { readonly type: 'restartDue'; readonly at: number; readonly generation: number; readonly slot: number }
  /** A worker is to be replaced although it serves. */
  | {
      readonly type: 'replacementWanted';
      readonly at: number;
      /** Of the worker. */
      readonly id: number;
      readonly cause: ReplacementCause;
    }
  /** A replacement that had to wait may begin. */
  | { readonly type: 'replacementDue'; readonly at: number }
  /** Connections wait in the queue of a slot (reuse_port) that no worker of the program has, nor will have. */
  | {
      readonly type: 'queueLeftBehind';
      readonly at: number;
      readonly slot: number;
      readonly connections: number;
    }
  /** The generation, which is on probation or a part of which serves, does worse than the one before it. */
  | {
      readonly type: 'generationFoundBad';
      readonly at: number;
      readonly generation: number;
      readonly failure: Failure;
    }
  /** The program is to be started again after a start that has failed. */
  | { readonly type: 'retryDue'; readonly at: number }
  /** The next step of a reload may begin, or the probation end: an operator has seen enough. */
  | { readonly type: 'promoteRequested'; readonly at: number }
  /** An operator wants the old generation. */
  | { readonly type: 'rollbackRequested'; readonly at: number }
  /** The next step of a reload may begin. */
  | { readonly type: 'rolloutDue'; readonly at: number }
  | { readonly type: 'debounceElapsed'; readonly at: number }
  | { readonly type: 'probationElapsed'; readonly at: number };

export type LifecycleInput = WorkerInput | ProgramInput;

/** An input without its time: the runner dates it. */
export type Undated<Event> = Event extends unknown ? Omit<Event, 'at'> : never;

/** Names a timer. Arming one that is armed replaces it. */
export type TimerKey =
  | { readonly timer: 'ready' | 'admit' | 'drain' | 'kill'; readonly worker: number }
  | { readonly timer: 'restart'; readonly generation: number; readonly slot: number }
  | { readonly timer: 'retry' }
  | { readonly timer: 'replacement' }
  | { readonly timer: 'rollout' }
  | { readonly timer: 'debounce' }
  | { readonly timer: 'probation' };

export type Effect =
  | {
      readonly type: 'startWorker';
      readonly worker: number;
      readonly generation: number;
      readonly slot: number;
    }
  /** Let a ready worker accept connections. It confirms that with `workerAdmitted`. */
  | { readonly type: 'admitWorker'; readonly worker: number }
  /**
   * Others are about to accept in its place: it accepts no connections for a moment. It accepts again by itself unless `pauseWorker` follows soon.
   */
  | { readonly type: 'pauseWorkerBriefly'; readonly worker: number }
  /** Let it keep its connections and accept no new ones, ready to accept again. */
  | { readonly type: 'pauseWorker'; readonly worker: number }
  | { readonly type: 'resumeWorker'; readonly worker: number }
  | {
      readonly type: 'drainWorker';
      readonly worker: number;
      readonly reason: DrainReason;
      /** Null: the one that tells this worker to drain. */
      readonly signal: EndSignal | null;
      readonly timeoutMs: number;
      /** It will be introduced to the workers that adopt its connections. */
      readonly migrates: boolean;
    }
  /** Connect a draining worker with a destination of its connections; `more` further destinations are about to follow. */
  | {
      readonly type: 'introduce';
      readonly source: number;
      readonly destination: number;
      readonly more: number;
    }
  /** SIGTERM for the watchers (`nodemon`) in the command of a worker whose program drained and ended: they would wait forever. */
  | { readonly type: 'endCommand'; readonly worker: number }
  /** To the worker's whole process group. */
  | { readonly type: 'signalGroup'; readonly worker: number; readonly signal: EndSignal | 'SIGKILL' }
  | { readonly type: 'armTimer'; readonly key: TimerKey; readonly delayMs: number }
  | { readonly type: 'disarmTimer'; readonly key: TimerKey }
  /** Close the listeners: clients are refused from now on. */
  | { readonly type: 'closeListeners' }
  | { readonly type: 'lookForLeftovers' }
  | { readonly type: 'announce'; readonly event: EventWithoutRelease }
  /** The program has come to rest: it has no process and no timer. It can be started again. */
  | { readonly type: 'finish' };

/** What a step gives: the next state, and what to do, in order. */
export interface Step<State> {
  readonly state: State;
  readonly effects: readonly Effect[];
}
