/**
 * What can be observed about a program: one closed union of typed events. The log, the control API and
 * embedders render it; no code parses text.
 */
import type { DrainReason } from './protocol.ts';

/** How a process ended: an exit code, or the signal that ended it. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Who asked for a reload or a stop. */
export type Cause = 'signal' | 'control' | 'watch' | 'worker' | 'embedder';

/** `up` is not `ready`, `ready` is not `draining`; `exited` is the end. Null stands for "did not exist yet". */
export type WorkerPhase = 'starting' | 'ready' | 'draining' | 'terminating' | 'killing';

export type ProgramPhase =
  'idle' | 'starting' | 'serving' | 'reloading' | 'probation' | 'stopping' | 'stopped';

/** Why a worker, and with it its generation, failed. */
export interface Failure {
  readonly reason: 'exited' | 'notReady' | 'notAdmitted' | 'notStarted';
  /** One sentence for people, without a full stop. */
  readonly message: string;
  /** What to do about it, where something can be said. */
  readonly hint: string | null;
  /** For `notStarted`: the error's code (src/shared/errors.ts). */
  readonly errorCode: string | null;
  readonly outcome: Outcome | null;
  /** The last lines that the worker wrote to stderr, oldest first; at most 20. */
  readonly stderrTail: readonly string[];
}

/** What a generation runs, with symlinks resolved when it was started. */
export interface Release {
  /** The working directory. */
  readonly cwd: string;
  /** The program's own file; null when there is none (`node -e`), or when it was not there. */
  readonly file: string | null;
  /**
   * Is it another directory or file than that of the generation which served at the time, or was the file written since? Null: none
   * served.
   */
  readonly changed: boolean | null;
}

/** The worker that an event is about. `slot` is its place among the program's workers: 0, 1 … */
export interface WorkerIdentity {
  readonly generation: number;
  readonly slot: number;
  readonly pid: number | null;
}

interface WorkerChange extends WorkerIdentity {
  readonly from: WorkerPhase | null;
  readonly to: WorkerPhase | 'exited';
  /** How long it was in `from`. */
  readonly durationMs: number;
}

export type MasterEvent =
  | {
      readonly event: 'masterStarted';
      readonly pid: number;
      readonly version: string;
      readonly control: string | null;
    }
  /**
   * The control socket is not where it should be. `elsewhere`: it is in another folder than the first. `restored`: it had been
   * removed. `lost`: it was removed, and cannot be made again. `left`: it cannot be removed at the end.
   */
  | {
      readonly event: 'controlSocketChanged';
      readonly change: 'elsewhere' | 'restored' | 'lost' | 'left';
      readonly control: string;
      readonly problem: string | null;
    }
  | {
      readonly event: 'listenerBound';
      readonly listener: string;
      readonly host: string;
      readonly port: number;
    }
  | { readonly event: 'listenersClosed' }
  | {
      readonly event: 'generationStarted';
      readonly generation: number;
      readonly workers: number;
      readonly release: Release | null;
    }
  /** Every one of its workers has confirmed that it accepts connections. */
  | {
      readonly event: 'generationReady';
      readonly generation: number;
      readonly durationMs: number;
      readonly release: Release | null;
      /** How long the generation before it can take over again; 0: not at all. */
      readonly probationMs: number;
    }
  /** Its probation is over: the generation before it drains. `durationMs` is how long that lasted. */
  | {
      readonly event: 'generationSettled';
      readonly generation: number;
      readonly durationMs: number;
      /** It was cut short: by a reload, by another number of workers, or because no old worker is left that could take over again. */
      readonly isEarly: boolean;
    }
  /** It crashed while it was on probation: generation `to` accepts connections again. */
  | {
      readonly event: 'generationRolledBack';
      readonly generation: number;
      readonly to: number;
      readonly durationMs: number;
      readonly release: Release | null;
      readonly failure: Failure;
    }
  /** It did not come to serve. */
  | {
      readonly event: 'generationFailed';
      readonly generation: number;
      /** The generation that serves on; null: none, the first one has failed. */
      readonly serving: number | null;
      readonly durationMs: number;
      readonly release: Release | null;
      readonly failure: Failure;
    }
  /** `generation` is the number of the generation that this request starts. */
  | {
      readonly event: 'reloadRequested';
      readonly cause: Cause;
      readonly generation: number;
      readonly pending: boolean;
    }
  | { readonly event: 'stopRequested'; readonly cause: Cause; readonly urgent: boolean }
  | { readonly event: 'stopped'; readonly failure: Failure | null }
  /** It was to be started, and cannot: no worker was. */
  | { readonly event: 'startRefused'; readonly failure: Failure }
  /** It is to be started once these programs serve. */
  | { readonly event: 'startWaits'; readonly programs: readonly string[] }
  /** The config file was read again and what it says is being done. Names of programs. */
  | {
      readonly event: 'planChanged';
      readonly file: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed: readonly string[];
    }
  /** The config file was read again and is wrong: everything stays as it is. */
  | { readonly event: 'planRefused'; readonly file: string; readonly problems: readonly string[] }
  | { readonly event: 'workerCountChanged'; readonly fromCount: number; readonly toCount: number }
  | {
      readonly event: 'restartScheduled';
      readonly generation: number;
      readonly slot: number;
      readonly failures: number;
      readonly delayMs: number;
    }
  | ({ readonly event: 'workerStarted' } & WorkerChange)
  /** Its health path was asked in vain; it is asked again. Only when that has another reason than before. */
  | ({ readonly event: 'workerNotReadyYet'; readonly reason: string } & WorkerIdentity)
  | ({ readonly event: 'workerReady' } & WorkerChange)
  /** Its program ended unexpectedly, and its command, a shell for example, has started it again: that one is ready. */
  | ({ readonly event: 'workerRestartedItself'; readonly failure: Failure } & WorkerIdentity)
  /** Its program ended unexpectedly, and its command, a shell for example, goes on without it. */
  | ({ readonly event: 'workerLostProgram'; readonly failure: Failure } & WorkerIdentity)
  /** It has confirmed that it accepts connections. */
  | ({ readonly event: 'workerAdmitted' } & WorkerIdentity)
  | ({ readonly event: 'workerDraining'; readonly reason: DrainReason } & WorkerChange)
  /** It is told to keep its connections and to accept no more while a newer generation is on probation. */
  | ({ readonly event: 'workerPaused' } & WorkerIdentity)
  /** It is told to accept again. */
  | ({ readonly event: 'workerResumed' } & WorkerIdentity)
  /** It was to do that, and cannot: it drains. */
  | ({ readonly event: 'workerNotPaused'; readonly problem: string } & WorkerIdentity)
  /** A worker that was told to drain or to pause takes no new connection any more. */
  | ({ readonly event: 'workerAcceptsNoMore' } & WorkerIdentity)
  /** `what`, part of the application's own clean-up, was not finished at the end of the drain timeout. */
  | ({ readonly event: 'workerCleanUpCut'; readonly what: string } & WorkerIdentity)
  /** A stop, or a drain, takes a while: what it waits for. */
  | {
      readonly event: 'stillDraining';
      readonly stopping: boolean;
      readonly workers: number;
      /** Null: not every worker has said. */
      readonly requests: number | null;
      readonly connections: number | null;
      /** How many of the workers have nothing left to do but the application's own clean-up; null: not every worker has said. */
      readonly cleaningUp: number | null;
      /** Until the last of them is ended by a signal. */
      readonly leftMs: number;
    }
  | ({ readonly event: 'workerTerminated' } & WorkerChange)
  | ({
      readonly event: 'workerKilled';
      readonly reason:
        | 'notReady'
        | 'notAdmitted'
        | 'rollback'
        | 'drainTimeout'
        | 'restartedItself'
        | 'stop'
        | 'reload'
        | 'scaleDown';
    } & WorkerChange)
  /** It ended when it was asked to: `served`, `migrated` and `cut` are null when it could not say. */
  | ({
      readonly event: 'workerExited';
      readonly outcome: Outcome;
      readonly served: number | null;
      /** Connections that have moved to other workers. */
      readonly migrated: number | null;
      readonly cut: number | null;
      /** How many of its own clean-ups were cut: handlers of signals, drain hooks. */
      readonly cleanUpsCut: number;
      /** It crashed while it drained; null: it ended as asked. */
      readonly failure: Failure | null;
    } & WorkerChange)
  /** It ended, or could not be started, unexpectedly. */
  | ({ readonly event: 'workerFailed'; readonly failure: Failure } & WorkerChange)
  /** The connections of a draining worker cannot move to another one: they end as without migration. */
  | ({ readonly event: 'migrationFailed'; readonly problem: string } & WorkerIdentity)
  | ({ readonly event: 'undeclaredListen'; readonly address: string } & WorkerIdentity)
  /** A program that asked for a local address is open to every one, because the listener is. */
  | ({ readonly event: 'wideListen'; readonly address: string } & WorkerIdentity)
  /** A program that asked for every address is served on the one that the first generation asked for. */
  | ({ readonly event: 'narrowListen'; readonly address: string } & WorkerIdentity)
  /** Another process holds the address; how long binding is retried. */
  | {
      readonly event: 'addressBusy';
      readonly host: string | null;
      readonly port: number;
      readonly patienceMs: number;
    }
  /** The master of this name is stopping; this one waits until it has ended. */
  | { readonly event: 'nameBusy'; readonly holder: number }
  /** Workers whose master was killed still held the address when their drain timeout was over: the new master has killed them. */
  | { readonly event: 'orphansKilled'; readonly port: number; readonly pids: readonly number[] }
  /** Processes that have inherited the listener outlive the master. It listens no more, for any of them. */
  | { readonly event: 'listenerLeftBehind'; readonly port: number; readonly pids: readonly number[] }
  /** The environment, or the env file, says another PORT than the one that is held: workers get `port`. */
  | { readonly event: 'portChanged'; readonly source: 'environment' | 'file'; readonly port: number }
  | ({ readonly event: 'messageRejected'; readonly problem: string } & WorkerIdentity)
  | { readonly event: 'fileChanged'; readonly path: string }
  | { readonly event: 'watchStarted'; readonly paths: readonly string[] }
  | { readonly event: 'watchFailed'; readonly problem: string }
  /** The lifecycle got an input that its tables call impossible: a bug in graceful-run. The program is as it was before. */
  | { readonly event: 'internalError'; readonly problem: string };

/** An event as the lifecycle announces it: which release a generation runs is known to the shell alone. */
export type EventWithoutRelease = WithoutRelease<MasterEvent>;
type WithoutRelease<One> = One extends MasterEvent ? Omit<One, 'release'> : never;

/** An event with its place and time, as the log and the control socket show it. */
export type EventRecord = MasterEvent & {
  readonly program: string;
  /** Milliseconds since 1970. */
  readonly time: number;
};
