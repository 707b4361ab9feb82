/**
 * What has to survive the master's process, as one record: plain data that JSON can hold. Moments are those of
 * `Clock.monotonicMs`, which mean the same in the process that reads it. `status` is a view of it.
 *
 * No master reads it yet. One that did would need more: the plan of each generation that runs (program/versions.ts), the paths of the workers'
 * notification sockets, the control groups of their process trees, the updates that have not settled, and the files that output goes to.
 */
import type { History } from '../program/history/history.ts';
import type { KnownRelease } from '../program/history/releases.ts';
import type { TimerKey } from '../program/lifecycle/inputs.ts';
import type { Program } from '../program/lifecycle/state.ts';
import type { ScheduleState } from '../programs/schedule/schedule-step.ts';
import type { ErrorCounts } from '../../shared/events.ts';
import type { SocketAddress } from '../../shared/format-address.ts';

/** Rises with every change that an older master cannot read. */
export const recordVersion = 1;

export interface MasterRecord {
  readonly version: typeof recordVersion;
  readonly startedAt: number;
  readonly logId: string | null;
  readonly programs: readonly ProgramRecord[];
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
  readonly command: readonly string[];
  readonly lifecycle: Program;
  readonly history: History;
  readonly releases: readonly KnownRelease[];
  readonly listeners: readonly ListenerRecord[];
  readonly workers: readonly ProcessRecord[];
  /** What was counted for `rollback_on` since a new generation began to serve; null: nothing is counted now. */
  readonly errors: ErrorCounts | null;
  readonly timers: readonly TimerRecord[];
}

/** What the program itself knows, without what its master wants of it. */
export type OwnRecord = Omit<ProgramRecord, keyof WantedRecord>;

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
  /** What was started is Node.js with the preload. */
  readonly isNode: boolean;
  /** What makes it drain unless it is Node.js; null: nothing does. */
  readonly drainSignal: NodeJS.Signals | null;
  readonly wasReady: boolean;
  /** It was told to drain or to end; `toldBy`: by this signal, null: by none. */
  readonly isToldToEnd: boolean;
  readonly toldBy: NodeJS.Signals | null;
  readonly stderrTail: readonly string[];
  readonly cleanUpsCut: number;
}

export interface TimerRecord {
  readonly key: TimerKey;
  readonly dueAt: number;
}
