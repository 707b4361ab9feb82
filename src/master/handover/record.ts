/**
 * What has to survive the master's process, as one record: plain data that JSON can hold. Moments are those of
 * `Clock.monotonicMs`, which mean the same in the process that reads it. `status` is a view of it.
 *
 * No master reads it yet. One that did would also need the descriptors of the workers' channels and output pipes, which belong to its process objects.
 */
import type { History } from '../program/history/history.ts';
import type { KnownRelease } from '../program/history/releases.ts';
import type { TimerKey } from '../program/lifecycle/inputs.ts';
import type { Program } from '../program/lifecycle/state.ts';
import type { ScheduleState } from '../programs/schedule/schedule-step.ts';
import type { MasterPlan, ProgramPlan } from '../config/plan.ts';
import type { ErrorCounts } from '../../shared/events.ts';
import type { SocketAddress } from '../../shared/format-address.ts';

/** Rises with every change that an older master cannot read. */
export const recordVersion = 1;

export interface MasterRecord {
  readonly version: typeof recordVersion;
  readonly startedAt: number;
  readonly logId: string | null;
  /** What the plan says of the master itself. */
  readonly plan: MasterPlan;
  /** Changes of programs that have not come to serve. */
  readonly unsettled: readonly UnsettledChange[];
  readonly programs: readonly ProgramRecord[];
}

/** A change by an update that the generation which serves has not got, or only on probation. */
export interface UnsettledChange {
  readonly program: string;
  /** The keys of the config file that were changed. */
  readonly keys: readonly string[];
  /** The reload has failed: the next update tries it again. */
  readonly hasFailed: boolean;
}

/** What is wanted of a program. */
export interface WantedRecord {
  /** It is to run: it was started, and it was not stopped since. */
  readonly isWanted: boolean;
  /** It is to be started as soon as what it depends on serves. */
  readonly isDue: boolean;
  /** It stops to be started again with another plan. */
  readonly isSuspended: boolean;
  /** Its listeners are held while it is stopped. */
  readonly keepsListeners: boolean;
  /** Null: it does not run by a schedule. Its moments are those of the wall clock. */
  readonly schedule: ScheduleState | null;
}

export interface ProgramRecord extends WantedRecord {
  readonly name: string;
  /** The plans that its generations run, the latest last; there is at least one. */
  readonly versions: readonly VersionRecord[];
  readonly lifecycle: Program;
  readonly history: History;
  readonly releases: readonly KnownRelease[];
  readonly workers: readonly ProcessRecord[];
  /** What was counted for `rollback_on` since a new generation began to serve; null: nothing is counted now. */
  readonly errors: ErrorCounts | null;
  readonly timers: readonly TimerRecord[];
}

/** What the program itself knows, without what its master wants of it. */
export type OwnRecord = Omit<ProgramRecord, keyof WantedRecord>;

/** A plan of a program, with the sockets that are held for it. Versions that declare the same address share its socket. */
export interface VersionRecord {
  /** The first generation that runs it. */
  readonly from: number;
  /** It has the files that output goes to, the user, the limits, and whatever else a worker is started with. */
  readonly plan: ProgramPlan;
  readonly listeners: readonly ListenerRecord[];
}

/** A listening socket of the master; the fields are those of `BoundListener`. */
export interface ListenerRecord {
  readonly name: string;
  readonly address: SocketAddress;
  readonly backlog: number;
  readonly fd: number;
  readonly isUndecided: boolean;
  readonly standsFor: string | null;
  /** Null: it was bound by a numeric address, or by none. */
  readonly hostName: string | null;
  readonly isInherited: boolean;
  /** Null: it has no file, or the file is not the master's. */
  readonly file: number | null;
  /** With reuse_port: the descriptors of the sockets of the slots from 1 on; that of slot 0 is `fd`. Null: all slots share `fd`. */
  readonly slotFds: readonly number[] | null;
}

/** What is known of a worker in addition to its lifecycle state. */
export interface ProcessRecord {
  /** Its id in the lifecycle. */
  readonly id: number;
  readonly pid: number;
  /** The process that said ready: under `npm start` not the one that was started. */
  readonly servingPid: number;
  /** Its own number for itself, which is another one in a PID namespace; null: no process has said ready. */
  readonly ownPid: number | null;
  /** Its own word for the process that serves (MAINPID of sd_notify); null: it has said none. */
  readonly mainPid: number | null;
  /** What its processes have in their environment, and no others. */
  readonly mark: string;
  /** What its process tree has in its environment; its control group, if it has one, is called after it and the master's pid. */
  readonly tree: string;
  /** The path of its NOTIFY_SOCKET; null: it has none. */
  readonly notifyPath: string | null;
  /** What was started is Node.js with the preload. */
  readonly isNode: boolean;
  /** What makes it drain unless it is Node.js; null: nothing does. */
  readonly drainSignal: NodeJS.Signals | null;
  readonly wasReady: boolean;
  /** What shows that it is ready has happened, beside what its Node.js process says. */
  readonly isProven: boolean;
  /** It has spoken to its NOTIFY_SOCKET. */
  readonly hasNotified: boolean;
  /** The latest STATUS and ERRNO of sd_notify; null: it has sent none. */
  readonly said: { readonly status: string | null; readonly errno: number | null };
  /** Its event loop can be asked whether it turns. */
  readonly hasHeartbeat: boolean;
  /** What it has said of its watchdog; null: nothing. */
  readonly watchdog: OwnWatchdog | null;
  /** The last problem with its readiness, and the answer to the latest question for its health; null: none. */
  readonly notReadyYet: string | null;
  readonly health: { readonly problem: string | null } | null;
  /** Addresses that it listens on and does not declare. */
  readonly undeclared: readonly string[];
  /** With which it has begun to exit, and hung; null: it has not. */
  readonly hungExitCode: number | null;
  /** What it has said at its end of what it served; null: nothing yet. */
  readonly report: WorkerReport | null;
  /** It was told to drain or to end; `toldBy`: by this signal, null: by none. */
  readonly isToldToEnd: boolean;
  readonly toldBy: NodeJS.Signals | null;
  readonly stderrTail: readonly string[];
  readonly cleanUpsCut: number;
}

/** What a worker has said of its watchdog. */
export interface OwnWatchdog {
  /** How long it may be silent, as it said itself (WATCHDOG_USEC of sd_notify); 0: without limit. Null: as the plan says. */
  readonly ms: number | null;
  /** It has said that it is hung. */
  readonly isHung: boolean;
}

/** What a worker says at its end. */
export interface WorkerReport {
  readonly served: number;
  readonly migrated: number;
  readonly drained: number | null;
  readonly cut: number;
  readonly serverErrors: number;
}

export interface TimerRecord {
  readonly key: TimerKey;
  readonly dueAt: number;
}
