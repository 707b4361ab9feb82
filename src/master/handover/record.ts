/**
 * What has to survive the master's process, as one record: plain data that JSON can hold. Moments are those of
 * `Clock.monotonicMs`, which mean the same in the process that reads it. `status` is a view of it.
 *
 * Descriptors are numbers of this process, or null where it has none open. What begins anew in another master is left out: starts that are being looked up,
 * requests that wait for an answer, lines and messages of which a part has arrived, and sockets that the master was started with and no listener uses.
 */
import type { History } from '../program/history/history.ts';
import type { KnownRelease } from '../program/history/known-releases.ts';
import type { TimerKey } from '../program/lifecycle/inputs.ts';
import type { Program } from '../program/lifecycle/state.ts';
import type { ScheduleState } from '../programs/schedule/schedule-step.ts';
import type { MasterPlan, Plan, ProgramPlan } from '../config/plan.ts';
import type { ErrorCounts } from '../../shared/events.ts';
import type { AddressFields, SocketAddress } from '../../shared/format-address.ts';
import type { WorkerLoad } from '../../shared/protocol.ts';
import type { VariableSource } from '../launch/worker-environment.ts';
import type { CountsRecord } from '../metrics/event-counts.ts';
import type { LeftStream, WorkerDescriptors } from '../process/platform.ts';
import type { InheritedSlots } from '../sockets/slot-sockets.ts';
import type { KeptRecord } from '../output/kept-lines.ts';
import type { UnendedLines } from '../output/program-output.ts';
import type { Served } from '../program/worker-loads.ts';

/** The version of the record. It rises with every change that an older master cannot read. */
export const recordVersion = 2;

export interface MasterRecord {
  readonly version: typeof recordVersion;
  /** The versions of graceful-run and Node.js that have written the record, and when. */
  readonly writer: { readonly version: string; readonly node: string; readonly at: number };
  /** How often the master has been upgraded. */
  readonly upgrades: number;
  readonly startedAt: number;
  readonly logId: string | null;
  /** What the plan says of the master itself. */
  readonly plan: MasterPlan;
  /** Changes of programs that no generation serves for certain yet. */
  readonly unsettled: readonly UnsettledChange[];
  readonly programs: readonly ProgramRecord[];
  /** Programs that keep running although their `autostart` has become false. No request has started them, so they are not remembered as wanted. */
  readonly runningOn: readonly string[];
  /** Whether the master was told to stop, or ends because a program has failed. */
  readonly isStopping: boolean;
  /** The exit code that the end of a program asks for, or null if it asks for none. */
  readonly exitCode: number | null;
  /** The control socket, or null if there is none. The path is not always the first one that is tried. */
  readonly control: { readonly path: string; readonly fd: number | null } | null;
  /** The socket that serves /metrics, or null if there is none. */
  readonly metrics: { readonly address: AddressFields; readonly fd: number | null } | null;
  /** The descriptor whose end tells the script after-master.sh that the master is dead, or null if the script does not run. */
  readonly afterMasterFd: number | null;
  /** The pipes of helpers that have outlived their workers, and still write. */
  readonly leftStreams: readonly LeftStream[];
  /** What /metrics counts. */
  readonly counts: CountsRecord;
}

/** A changed plan that the serving generation does not run yet, or runs only on probation. */
export interface UnsettledChange {
  readonly program: string;
  /** The keys of the config file that were changed. */
  readonly keys: readonly string[];
  /** Whether the reload has failed: then the next update tries the change again. */
  readonly hasFailed: boolean;
}

/** What is wanted of a program, as its master knows it. */
export interface WantedRecord {
  /** Whether the program is to run: it was started, and it was not stopped since. */
  readonly isWanted: boolean;
  /** Whether the program is to be started as soon as those that it depends on serve. */
  readonly isDue: boolean;
  /** Whether it has no worker, and is not about to get one. */
  readonly isResting: boolean;
  /** Whether the program stops in order to be started again with another plan. */
  readonly isSuspended: boolean;
  /** Whether its listeners are held while it is stopped. */
  readonly keepsListeners: boolean;
  /** The state of its schedule, or null if it does not run by one. Times in it are those of the wall clock. */
  readonly schedule: ScheduleState | null;
}

export interface ProgramRecord extends WantedRecord {
  readonly name: string;
  /** The plans that its generations run, the latest last. There is at least one. */
  readonly versions: readonly VersionRecord[];
  readonly lifecycle: Program;
  readonly history: History;
  readonly releases: readonly KnownRelease[];
  readonly workers: readonly ProcessRecord[];
  /** The requests counted for `rollback_on` since a new generation began to serve, or null if nothing is counted at the moment. */
  readonly errors: ErrorCounts | null;
  readonly timers: readonly TimerRecord[];
  /** What the workers that have ended had served. */
  readonly servedByEnded: Served;
  /** The latest lines of its workers. */
  readonly kept: readonly KeptRecord[];
  /** A value in the environment of the program's processes, as long as they keep it. What workers have left behind is found by it. */
  readonly tree: string;
  /** The name after its first address, for a program whose plan gives it none; empty if that address is not known yet. */
  readonly nameOfAddress: string;
  /** Whether the next generation has no probation, because the old workers cannot serve beside it. */
  readonly isProbationSkipped: boolean;
  /** Whether its files are watched, if its plan has any to watch. */
  readonly isWatched: boolean;
  /** Where a PORT other than that of the listener was set, as far as an event has reported it. */
  readonly reportedPorts: readonly VariableSource[];
}

/** The plan that is in force. */
export function planOf({ plan, programs }: MasterRecord): Plan {
  return { master: plan, programs: programs.map(latestPlan) };
}

/** The plan of a program that its next generation runs. */
export function latestPlan({ versions }: Pick<ProgramRecord, 'versions'>): ProgramPlan {
  const last = versions.at(-1);
  if (last === undefined) throw new Error('a program has a plan from the beginning');
  return last.plan;
}

/** The part of the record from which `status` is derived: what the program itself knows, without its output. */
export type OwnRecord = Omit<ProgramRecord, keyof WantedRecord | 'kept'>;

/** A plan of a program, with the sockets that are held for it. Versions that declare the same address share its socket. */
export interface VersionRecord {
  /** The first generation that runs this plan. */
  readonly from: number;
  /** The plan, with everything that a worker is started with: the files for its output, the user, the limits and the rest. */
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
  /** The host name whose address it is, or null if it was bound by a numeric address or on every address. */
  readonly hostName: string | null;
  readonly isInherited: boolean;
  /** The inode of the socket's file, or null if it has no file, or the file is not the master's. */
  readonly file: number | null;
  /** With reuse_port: the sockets of the queues from 1 on; that of queue 0 is `fd`. Null if all workers share `fd`. */
  readonly slots: InheritedSlots | null;
}

/** What is known of a worker in addition to its lifecycle state. */
export interface ProcessRecord {
  /** The id of the worker in the lifecycle. */
  readonly id: number;
  /** The accept queue of each listener from which the worker accepts, and whether no other worker that accepts has it. */
  readonly queue: number;
  readonly hasOwnQueue: boolean;
  readonly pid: number;
  /** The pid of the process that said ready: under `npm start` it is not the process that was started. */
  readonly servingPid: number;
  /** The pid of that process as it sees it itself, which differs in a PID namespace; null if no process has said ready. */
  readonly ownPid: number | null;
  /** The pid of the serving process as the worker itself named it (MAINPID of sd_notify), or null if it named none. */
  readonly mainPid: number | null;
  /** A value in the environment of the worker's processes, and of no others. */
  readonly mark: string;
  /** A value in the environment of the worker's process tree. The worker's control group, if it has one, is named after it and the master's pid. */
  readonly tree: string;
  /** The path of the worker's NOTIFY_SOCKET, or null if it has none. */
  readonly notifyPath: string | null;
  readonly notifyFd: number | null;
  /** The descriptors of its channel, of the pipes that its output is read from, and others. */
  readonly descriptors: WorkerDescriptors;
  /** Whether the process that was started is Node.js with the preload. */
  readonly isNode: boolean;
  /** The signal that makes the worker drain if it is not Node.js, or null if none does. */
  readonly drainSignal: NodeJS.Signals | null;
  readonly wasReady: boolean;
  /** Whether the worker has given the sign of readiness that it owes in addition to what its Node.js process says. */
  readonly isProven: boolean;
  /** Whether the worker has sent a message to its NOTIFY_SOCKET. */
  readonly hasNotified: boolean;
  /** Whether the worker has sent WATCHDOG=1. */
  readonly feedsWatchdog: boolean;
  /** Whether the worker wanted its descriptors to be stored, which was refused. */
  readonly hasOfferedDescriptors: boolean;
  /** Whether a Node.js process of the worker was seen that may be the server. */
  readonly hadNode: boolean;
  /** The pid of a Node.js process of the worker that was started without the preload, or null if none was found. */
  readonly withoutPreload: number | null;
  /** The latest STATUS and ERRNO of sd_notify; null if it has sent none. */
  readonly said: { readonly status: string | null; readonly errno: number | null };
  /** Whether the worker can be asked whether its event loop turns. */
  readonly hasHeartbeat: boolean;
  /** What the worker has said of its watchdog, or null if nothing. */
  readonly watchdog: OwnWatchdog | null;
  /** The last problem with its readiness, and the answer to the latest question for its health; null if there is none. */
  readonly notReadyYet: string | null;
  readonly health: { readonly problem: string | null } | null;
  /** Addresses that the worker listens on and that are not declared. */
  readonly undeclared: readonly string[];
  /** The exit code of an exit that has begun and hung, or null if there is no such exit. */
  readonly hungExitCode: number | null;
  /** What the worker has reported at its end, or null if it has not yet. */
  readonly report: WorkerReport | null;
  /** Whether the worker was told to drain or to end. `toldBy`: the signal that told it, or null if none did. */
  readonly isToldToEnd: boolean;
  readonly toldBy: NodeJS.Signals | null;
  /** Whether the worker was told to stop accepting for a moment, and not yet to stay paused. */
  readonly isPausedBriefly: boolean;
  /** How many of its messages were invalid. */
  readonly rejected: number;
  /** The latest load that the worker has reported, or null if it has reported none. */
  readonly load: WorkerLoad | null;
  readonly stderrTail: readonly string[];
  readonly cleanUpsCut: number;
  /** The lines that it has begun and not ended. */
  readonly output: UnendedLines;
  /** How long it may keep running after this process was killed, in ms. */
  readonly outliveMs: number;
  /** The file that names the process, and how long it may name none; null if the process was started as the worker. */
  readonly pidFile: { readonly path: string; readonly graceMs: number } | null;
}

/** What a worker has said of its own watchdog. */
export interface OwnWatchdog {
  /** How long it may be silent, by its own WATCHDOG_USEC of sd_notify; 0: without limit. Null: as long as the plan says. */
  readonly ms: number | null;
  /** Whether it has said that it is hung. */
  readonly isHung: boolean;
}

/** What a worker reports at its end. */
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

/** The descriptors that another image of this process has to keep open. */
export function descriptorsOf(record: MasterRecord): readonly number[] {
  const { control, metrics, afterMasterFd, programs, leftStreams } = record;
  const ofListeners = programs
    .flatMap(({ versions }) => versions)
    .flatMap(({ listeners }) => listeners)
    .flatMap(({ fd, slots }) => [fd, ...(slots?.fds ?? [])]);
  const ofWorkers = programs
    .flatMap(({ workers }) => workers)
    .flatMap(({ notifyFd, descriptors: { channel, stdout, stderr, newline, process } }) => [
      notifyFd,
      channel,
      stdout,
      stderr,
      newline,
      process,
    ]);
  const own = [control?.fd ?? null, metrics?.fd ?? null, afterMasterFd, ...leftStreams.map(({ fd }) => fd)];
  return [...new Set([...own, ...ofListeners, ...ofWorkers])].filter((fd) => fd !== null);
}

/** The pids of all workers. */
export function workersOf({ programs }: MasterRecord): readonly number[] {
  return programs.flatMap(({ workers }) => workers.map(({ pid }) => pid));
}
