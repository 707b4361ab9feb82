/** What the lifecycle of a program takes and returns. Everything that it learns is an input with its time, and everything that it wants done is an effect. */
import type {
  Cause,
  EventWithoutRelease,
  Failure,
  Outcome,
  ReplacementCause,
} from '../../../shared/events.ts';
import type { DrainReason } from '../../../shared/protocol.ts';
import type { Capabilities, EndSignal, LifecycleSettings } from './state.ts';

/** How a worker ended. `failure`: what that means if the worker was not told to end. */
export interface WorkerEnd {
  readonly outcome: Outcome | null;
  readonly failure: Failure;
  /** What the worker reported at the end of its drain; null if it reported nothing. */
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

/** Inputs about one worker. `worker` is its id. If the id is not known any more, the worker is gone. */
export type WorkerInput =
  | {
      readonly type: 'workerSpawned';
      readonly at: number;
      readonly worker: number;
      readonly pid: number;
      /** Whether the worker gets connections only once it is admitted. */
      readonly isGated: boolean;
    }
  /** The worker is ready: it has said so, or was seen to be. A second time, it has turned out to be another kind of process than it seemed. */
  | {
      readonly type: 'workerSaidReady';
      readonly at: number;
      readonly worker: number;
      readonly capabilities: Capabilities;
    }
  /** The worker's program ended, and its command (a shell, for example) started it again: the new process is ready. */
  | {
      readonly type: 'workerRestartedItself';
      readonly at: number;
      readonly worker: number;
      readonly capabilities: Capabilities;
      readonly failure: Failure;
    }
  /** The worker's program ended, and its command (a shell, for example) keeps running without it. */
  | {
      readonly type: 'workerLostProgram';
      readonly at: number;
      readonly worker: number;
      readonly failure: Failure;
    }
  /** The worker was told to keep its connections and accept no new ones, but cannot: it still accepts. */
  | { readonly type: 'workerCannotPause'; readonly at: number; readonly worker: number }
  /** The worker confirms that it accepts connections. */
  | { readonly type: 'workerAdmitted'; readonly at: number; readonly worker: number }
  /** The worker was admitted and does not accept: it has said so, or has not confirmed it in time. */
  | {
      readonly type: 'admissionFailed';
      readonly at: number;
      readonly worker: number;
      readonly failure: Failure;
    }
  /** The worker can be introduced to workers that drain. */
  | { readonly type: 'workerTakesConnections'; readonly at: number; readonly worker: number }
  /** The worker drains because of a signal that the master did not send. */
  | { readonly type: 'workerSaidItDrains'; readonly at: number; readonly worker: number }
  /** The worker exited and was reaped, or it could not be started at all. */
  | { readonly type: 'workerEnded'; readonly at: number; readonly worker: number; readonly end: WorkerEnd }
  | {
      readonly type: 'workerNotReady';
      readonly at: number;
      readonly worker: number;
      readonly failure: Failure;
      /** Whether the worker may have accepted connections, unless it is gated. False: none of its known processes can have. */
      readonly mayAccept: boolean;
    }
  /** The worker requests at least this much time from now on. */
  | {
      readonly type: 'workerNeedsTime';
      readonly at: number;
      readonly worker: number;
      readonly needsMs: number;
    }
  /** The pid file names this process, which is the worker from now on. */
  | {
      readonly type: 'workerAdopted';
      readonly at: number;
      readonly worker: number;
      readonly pid: number;
      readonly how: 'running' | 'started' | 'changed';
    }
  /** The worker has given no sign of life for too long. The input may be repeated while that is so. */
  | {
      readonly type: 'workerHung';
      readonly at: number;
      readonly worker: number;
      readonly cause: ReplacementCause;
    }
  /** The worker was hung, and has given a sign of life. */
  | { readonly type: 'workerAlive'; readonly at: number; readonly worker: number }
  | { readonly type: 'drainTimedOut'; readonly at: number; readonly worker: number }
  | { readonly type: 'killTimedOut'; readonly at: number; readonly worker: number };

/** How many workers to add or remove, or how many to have in all. */
export type CountChange = number | { readonly to: number };

/** Inputs about the program: requests, and its timers. */
export type ProgramInput =
  | { readonly type: 'startRequested'; readonly at: number }
  /** The program was to be started, and cannot be: its address is in use, for example. */
  | { readonly type: 'startRefused'; readonly at: number; readonly failure: Failure }
  /** An operator had stopped the program before this master was started. */
  | { readonly type: 'stopRemembered'; readonly at: number }
  /** The program's plan has changed. Timers that are already armed keep their time. */
  | { readonly type: 'settingsChanged'; readonly at: number; readonly settings: LifecycleSettings }
  | { readonly type: 'reloadRequested'; readonly at: number; readonly cause: Cause }
  | {
      readonly type: 'stopRequested';
      readonly at: number;
      readonly cause: Cause;
      /** Whether the program is about to be started again: clients wait in the queues of its listeners. */
      readonly keepsListeners?: boolean;
      /** Whether this is certainly the second request to stop. */
      readonly isUrgent?: boolean;
    }
  | { readonly type: 'workerCountRequested'; readonly at: number; readonly change: CountChange }
  | { readonly type: 'restartDue'; readonly at: number; readonly generation: number; readonly slot: number }
  /** A worker is to be replaced although it serves. */
  | {
      readonly type: 'replacementWanted';
      readonly at: number;
      /** The id of the worker. */
      readonly id: number;
      readonly cause: ReplacementCause;
    }
  /** A replacement that had to wait may begin. */
  | { readonly type: 'replacementDue'; readonly at: number }
  /** Connections wait in an accept queue (reuse_port) that no worker of the program has, nor will have. `slot`: the number of the queue. */
  | {
      readonly type: 'queueLeftBehind';
      readonly at: number;
      readonly slot: number;
      readonly connections: number;
    }
  /** The generation is on probation, or a part of it serves, and it does worse than the previous one. */
  | {
      readonly type: 'generationFoundBad';
      readonly at: number;
      readonly generation: number;
      readonly failure: Failure;
    }
  /** The program is to be started again, after a start that has failed. */
  | { readonly type: 'retryDue'; readonly at: number }
  /** An operator has seen enough: the next step of a reload may begin, or the probation may end. */
  | { readonly type: 'promoteRequested'; readonly at: number }
  /** An operator wants the old generation. */
  | { readonly type: 'rollbackRequested'; readonly at: number }
  /** The next step of a reload may begin. */
  | { readonly type: 'rolloutDue'; readonly at: number }
  | { readonly type: 'debounceElapsed'; readonly at: number }
  | { readonly type: 'probationElapsed'; readonly at: number };

export type LifecycleInput = WorkerInput | ProgramInput;

/** An input without its time, which the runner adds. */
export type Undated<Event> = Event extends unknown ? Omit<Event, 'at'> : never;

/** The key of a timer. Arming a timer with a key that is in use replaces it. */
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
      /** The accept queue that the worker is started for. Missing if it is started for a slot. */
      readonly queue?: number;
    }
  /** Lets a ready worker accept connections. The worker confirms that with `workerAdmitted`. */
  | { readonly type: 'admitWorker'; readonly worker: number }
  /**
   * Makes a worker accept no connections for a moment, because others are about to accept in its place. It accepts again by itself unless `pauseWorker`
   * follows soon.
   */
  | { readonly type: 'pauseWorkerBriefly'; readonly worker: number }
  /** Makes a worker keep its connections and accept no new ones. It can be told to accept again. */
  | { readonly type: 'pauseWorker'; readonly worker: number }
  | { readonly type: 'resumeWorker'; readonly worker: number }
  | {
      readonly type: 'drainWorker';
      readonly worker: number;
      readonly reason: DrainReason;
      /** The signal to send, or null for the one that tells this worker to drain. */
      readonly signal: EndSignal | null;
      readonly timeoutMs: number;
      /** Whether the worker will be introduced to workers that adopt its connections. */
      readonly migrates: boolean;
    }
  /** Connects a draining worker with a destination of its connections. `more`: how many further destinations are about to follow. */
  | {
      readonly type: 'introduce';
      readonly source: number;
      readonly destination: number;
      readonly more: number;
    }
  /** Sends SIGTERM to the watchers (`nodemon`) in the command of a worker whose program has drained and ended: they would wait forever. */
  | { readonly type: 'endCommand'; readonly worker: number }
  /** Sends a signal to the worker's whole process group. */
  | { readonly type: 'signalGroup'; readonly worker: number; readonly signal: EndSignal | 'SIGKILL' }
  | { readonly type: 'armTimer'; readonly key: TimerKey; readonly delayMs: number }
  | { readonly type: 'disarmTimer'; readonly key: TimerKey }
  /** Closes the listeners: clients are refused from now on. */
  | { readonly type: 'closeListeners' }
  | { readonly type: 'lookForLeftovers' }
  | { readonly type: 'announce'; readonly event: EventWithoutRelease }
  /** Announces that the program has come to rest: it has no process and no timer, and can be started again. */
  | { readonly type: 'finish' };

/** The result of a step: the next state, and the effects in their order. */
export interface Step<State> {
  readonly state: State;
  readonly effects: readonly Effect[];
}
