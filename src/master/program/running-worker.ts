/** A worker as a process: everything that is known of it in addition to its state in the lifecycle. */
import { formatSocketAddress } from '../../shared/format-address.ts';
import type { WorkerLoad } from '../../shared/protocol.ts';
import { printable } from '../../shared/printable.ts';
import type { OwnWatchdog, ProcessRecord, WorkerReport } from '../handover/record.ts';
import type { FailureContext } from './worker-failures.ts';
import type { BoundListener } from '../sockets/listener.ts';
import type { NotifySocket, Platform, WorkerProcess } from '../process/platform.ts';
import type { WorkerOutput } from '../output/program-output.ts';
import type { StderrTail } from '../output/stderr-tail.ts';

export interface RunningWorker {
  readonly id: number;
  readonly generation: number;
  readonly slot: number;
  /** The accept queue of each listener from which the worker accepts (worker-queues.ts). */
  readonly queue: number;
  /** Whether no other worker that accepts has that queue: then the master is the gate of a program that has none. */
  readonly hasOwnQueue: boolean;
  readonly process: WorkerProcess;
  /** The signal that makes the worker drain if it is not Node.js, or null if none does. */
  readonly drainSignal: NodeJS.Signals | null;
  /** Whether the process that was started is Node.js with the preload. */
  readonly isNode: boolean;
  /** A value in the environment of the worker's processes, and of no others. */
  readonly mark: string;
  /** A value in the environment of the worker's process tree, as long as its processes keep it. */
  readonly tree: string;
  /** The path of the worker's NOTIFY_SOCKET, or null if it has none. */
  readonly notifyPath: string | null;
  readonly tail: StderrTail;
  /** The pid of the process that said ready: under `npm start` it is not the process that was started. It gets the drain signal. */
  servingPid: number;
  /** The pid of that process as it sees it itself, which differs in a PID namespace; null if no process has said ready. */
  ownPid: number | null;
  wasReady: boolean;
  /** Whether the worker was told to drain or to end. */
  isToldToEnd: boolean;
  /** The signal that last told its program to drain or to end, or null if none did. */
  toldBy: NodeJS.Signals | null;
  /** Whether the worker was told to stop accepting for a moment, and not yet to stay paused. */
  isPausedBriefly: boolean;
  /** Whether the worker has given the sign of readiness that it owes in addition to what its Node.js process says. */
  isProven: boolean;
  /** Whether the worker has sent a message to its NOTIFY_SOCKET. */
  hasNotified: boolean;
  /** Whether the worker has sent WATCHDOG=1. */
  feedsWatchdog: boolean;
  /** Whether the worker is Node.js without an address, and can be asked whether its event loop turns. */
  hasHeartbeat: boolean;
  readonly notifySocket: NotifySocket;
  /** The pid of the serving process as the worker itself named it (MAINPID of sd_notify), or null if it named none. */
  mainPid: number | null;
  /** What the worker has said of its watchdog, or null if nothing. */
  watchdog: OwnWatchdog | null;
  /** Whether the worker has asked for its descriptors to be stored, which was refused. */
  hasOfferedDescriptors: boolean;
  /** Whether the worker was seen to have a Node.js process that may be the server. */
  hadNode: boolean;
  /** Functions that end the search for signs that the worker is ready. */
  readonly looking: (() => void)[];
  /** Ends the watch over the process that listens, if that is not the process that was started. */
  unwatch: (() => void) | null;
  /** Ends the watch over each of its processes whose exit has begun, by its pid. */
  readonly unguardExit: Map<number, () => void>;
  /** The exit code of an exit that has begun and hung, or null if there is no such exit. */
  hungExitCode: number | null;
  /** The latest STATUS and ERRNO of sd_notify; null if it has sent none. */
  said: { readonly status: string | null; readonly errno: number | null };
  /** The last problem with its health path, or the last problem that a probe found; null if there is none. */
  notReadyYet: string | null;
  /** The worker's answer to the latest question for its health; null if there is none yet. */
  health: { readonly problem: string | null } | null;
  readonly undeclared: string[];
  /** The pid of a Node.js process of the worker that was started without the preload; null if none was looked for or found. */
  withoutPreload: number | null;
  /** How many invalid messages the worker has sent. */
  rejected: number;
  /** How many of the application's clean-ups were cut. */
  cleanUpsCut: number;
  readonly output: WorkerOutput;
  readonly outliveMs: number;
  readonly pidFile: ProcessRecord['pidFile'];
  report: WorkerReport | null;
}

export function failureContext(
  { wasReady, notReadyYet, said, tail, undeclared, withoutPreload }: RunningWorker,
  listeners: readonly BoundListener[],
): FailureContext {
  return {
    wasReady,
    notReadyYet,
    says: describeSaid(said),
    stderrTail: tail.lines(),
    undeclared,
    withoutPreload,
    declared: [
      ...new Set(
        listeners.map(({ address }) =>
          address.type === 'tcp' ? address.port : formatSocketAddress(address),
        ),
      ),
    ],
  };
}

/** Joins status and error, as in `no database (error 111)`. An errno of 0 is no error. */
function describeSaid({ status, errno }: RunningWorker['said']): string | null {
  const error = errno === null || errno === 0 ? null : `error ${errno}`;
  if (status === null) return error;
  return error === null ? printable(status) : `${printable(status)} (${error})`;
}

/**
 * Whether the worker is a Node.js program. If a Node.js launcher such as npm was started, this is known once the worker is ready: a Node.js program says so
 * on its channel (`ownPid`), and another one does not.
 */
export function isNodeWorker({ isNode, ownPid, wasReady }: RunningWorker): boolean {
  return ownPid !== null || (isNode && !wasReady);
}

export function identity({ generation, slot, process }: RunningWorker): {
  generation: number;
  slot: number;
  pid: number;
} {
  return { generation, slot, pid: process.pid };
}

/** The fields that the record has under another name, that the lifecycle knows, or that begin anew in another master. */
type RecordedOtherwise =
  | 'process'
  | 'tail'
  | 'output'
  | 'notifySocket'
  | 'generation'
  | 'slot'
  | 'looking'
  | 'unwatch'
  | 'unguardExit';

/** The process of `worker` that sees itself as `ownPid`; null if there is none. */
export function processOf(
  { isNode, process }: Pick<RunningWorker, 'isNode' | 'process'>,
  ownPid: number,
  platform: Pick<Platform, 'findByOwnPid'>,
): number | null {
  // Such a process has the PID namespace of the master. So /proc need not be read while the first clients wait for the answer to `ready`.
  if (isNode && ownPid === process.pid) return ownPid;
  return platform.findByOwnPid(ownPid, process.pid);
}

/** The record of a worker's process, for another master that takes it over. By its type, no field of a worker can be forgotten. */
export function recordOf(
  worker: RunningWorker,
  load: WorkerLoad | null,
): ProcessRecord & Readonly<Omit<RunningWorker, RecordedOtherwise>> {
  const { id, queue, hasOwnQueue, process, servingPid, ownPid, mainPid } = worker;
  const { mark, tree, notifyPath, isNode, drainSignal } = worker;
  const {
    wasReady,
    isProven,
    hasNotified,
    feedsWatchdog,
    hasHeartbeat,
    watchdog,
    notReadyYet,
    health,
    undeclared,
  } = worker;
  const { said, isToldToEnd, toldBy, isPausedBriefly, tail, hungExitCode, report, cleanUpsCut } = worker;
  const { notifySocket, hasOfferedDescriptors, hadNode, withoutPreload, rejected, outliveMs, pidFile } =
    worker;
  return {
    id,
    queue,
    hasOwnQueue,
    pid: process.pid,
    servingPid,
    ownPid,
    mainPid,
    mark,
    tree,
    notifyPath,
    notifyFd: notifySocket.fd,
    descriptors: process.descriptors(),
    isNode,
    drainSignal,
    wasReady,
    isProven,
    hasNotified,
    feedsWatchdog,
    hasOfferedDescriptors,
    hadNode,
    withoutPreload,
    said,
    hasHeartbeat,
    watchdog,
    notReadyYet,
    health,
    undeclared: [...undeclared],
    isToldToEnd,
    toldBy,
    isPausedBriefly,
    rejected,
    load,
    stderrTail: tail.lines(),
    hungExitCode,
    report,
    cleanUpsCut,
    // Read only when the record is written down: a line may have a megabyte, and every status looks at the other fields.
    get output() {
      return worker.output.unended();
    },
    outliveMs,
    pidFile,
  };
}
