/** A worker as a process: what is known of it beside its state in the lifecycle, which knows it by its id. */
import { formatSocketAddress } from '../../shared/format-address.ts';
import { printable } from '../../shared/printable.ts';
import type { OwnWatchdog, ProcessRecord, WorkerReport } from '../handover/record.ts';
import type { FailureContext } from './worker-failures.ts';
import type { BoundListener } from '../sockets/listener.ts';
import type { WorkerProcess } from '../process/platform.ts';
import type { StderrTail } from '../output/stderr-tail.ts';

export interface RunningWorker {
  readonly id: number;
  readonly generation: number;
  readonly slot: number;
  readonly process: WorkerProcess;
  /** What makes it drain unless it is Node.js; null: nothing does. */
  readonly drainSignal: NodeJS.Signals | null;
  /** What was started is Node.js with the preload. */
  readonly isNode: boolean;
  /** What its processes have in their environment, and no others. */
  readonly mark: string;
  /** What its process tree has in its environment, as long as its processes keep it. */
  readonly tree: string;
  /** The path of its NOTIFY_SOCKET; null: it has none. */
  readonly notifyPath: string | null;
  readonly tail: StderrTail;
  /** The process that said ready: under `npm start` not the one that was started. It gets the drain signal. */
  servingPid: number;
  /** Its own number for itself, which is another one in a PID namespace; null: no process has said ready. */
  ownPid: number | null;
  wasReady: boolean;
  /** It was told to drain or to end. */
  isToldToEnd: boolean;
  /** The signal that its program last got to drain or to end; null: none. */
  toldBy: NodeJS.Signals | null;
  /** It was told to stop accepting for a moment, and not yet to stay paused. */
  isPausedBriefly: boolean;
  /** What shows that it is ready has happened, beside what its Node.js process says. */
  isProven: boolean;
  /** It has spoken to its NOTIFY_SOCKET. */
  hasNotified: boolean;
  /** It has no address and is Node.js: its event loop can be asked whether it turns. */
  hasHeartbeat: boolean;
  readonly closeNotify: () => void;
  /** Its own word for the process that serves (MAINPID of sd_notify); null: it has said none. */
  mainPid: number | null;
  /** What it has said of its watchdog; null: nothing. */
  watchdog: OwnWatchdog | null;
  /** It wanted its descriptors to be stored, which was refused. */
  hasOfferedDescriptors: boolean;
  /** A Node.js process of it was seen that may be the server. */
  hadNode: boolean;
  /** What ends the search for signs that it is ready. */
  readonly looking: (() => void)[];
  /** Ends the watch over the process that listens, if that is not the process that was started. */
  unwatch: (() => void) | null;
  /** Ends the watch over each of its processes whose exit has begun, by its pid. */
  readonly unguardExit: Map<number, () => void>;
  /** With which it has begun to exit, and hung; null: it has not. */
  hungExitCode: number | null;
  /** The latest STATUS and ERRNO of sd_notify; null: it has sent none. */
  said: { readonly status: string | null; readonly errno: number | null };
  /** The last problem with its health path, or result of a probe; null: none. */
  notReadyYet: string | null;
  /** What it has answered to the latest question for its health; null: nothing yet. */
  health: { readonly problem: string | null } | null;
  readonly undeclared: string[];
  /** A Node.js process of it that was started without the preload; null: none was found, or was looked for. */
  withoutPreload: number | null;
  /** Messages that made no sense. */
  rejected: number;
  /** How many of its own clean-ups were cut. */
  cleanUpsCut: number;
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

/** `no database (error 111)`. An errno of 0 is no error. */
function describeSaid({ status, errno }: RunningWorker['said']): string | null {
  const error = errno === null || errno === 0 ? null : `error ${errno}`;
  if (status === null) return error;
  return error === null ? printable(status) : `${printable(status)} (${error})`;
}

export function identity({ generation, slot, process }: RunningWorker): {
  generation: number;
  slot: number;
  pid: number;
} {
  return { generation, slot, pid: process.pid };
}

/** What has to be known of the process when another master takes it over, as far as it is plain data. */
export function recordOf(worker: RunningWorker): ProcessRecord {
  const { id, process, servingPid, ownPid, mainPid, mark, tree, notifyPath, isNode, drainSignal } = worker;
  const { wasReady, isProven, hasNotified, hasHeartbeat, watchdog, notReadyYet, health, undeclared } = worker;
  const { said, isToldToEnd, toldBy, tail, hungExitCode, report, cleanUpsCut } = worker;
  return {
    id,
    pid: process.pid,
    servingPid,
    ownPid,
    mainPid,
    mark,
    tree,
    notifyPath,
    isNode,
    drainSignal,
    wasReady,
    isProven,
    hasNotified,
    said,
    hasHeartbeat,
    watchdog,
    notReadyYet,
    health,
    undeclared: [...undeclared],
    isToldToEnd,
    toldBy,
    stderrTail: tail.lines(),
    hungExitCode,
    report,
    cleanUpsCut,
  };
}
