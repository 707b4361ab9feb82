/**
 * Everything that has to survive the master's process, as one record: plain data that JSON can hold. Moments are those of
 * `Clock.monotonicMs`, which mean the same in the process that reads it. `status` is a view of it.
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

export interface ProgramRecord {
  readonly name: string;
  readonly command: readonly string[];
  /** It is to run: it was started, and it was not stopped since. */
  readonly isWanted: boolean;
  /** Null: it does not run by a schedule. Its moments are those of the wall clock. */
  readonly schedule: ScheduleState | null;
  readonly lifecycle: Program;
  readonly history: History;
  readonly releases: readonly KnownRelease[];
  readonly listeners: readonly ListenerRecord[];
  readonly workers: readonly ProcessRecord[];
  /** What was counted for `rollback_on` since a new generation began to serve; null: nothing is counted now. */
  readonly errors: ErrorCounts | null;
  readonly timers: readonly TimerRecord[];
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

/** What is known of a worker beside its lifecycle. */
export interface ProcessRecord {
  /** Its id in the lifecycle. */
  readonly id: number;
  readonly pid: number;
  /** The process that said ready: under `npm start` not the one that was started. */
  readonly servingPid: number;
  readonly wasReady: boolean;
  readonly stderrTail: readonly string[];
  readonly cleanUpsCut: number;
}

export interface TimerRecord {
  readonly key: TimerKey;
  readonly dueAt: number;
}
