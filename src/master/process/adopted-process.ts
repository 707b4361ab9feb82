/**
 * A worker that this process has not started, or that forked away from what it has started: a daemon, which a pid file names. If one runs already, it is
 * adopted; else the command is run, which starts it and ends. From then on the daemon is the worker: its end is the worker's end, and signals go to it.
 *
 * Its number alone is never trusted. The file is checked (pid-file.ts), and the process is held by a pidfd from the moment it is adopted: a signal through that
 * reaches this process or none, and its end is noticed without polling. Loaded only for programs with `adopt_pid_file`.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { GracefulRunError } from '../../shared/errors.ts';
import type { Outcome } from '../../shared/events.ts';
import { hasEnded, readProcessStat, stillRuns } from '../../shared/process-stat.ts';
import { handleDescriptor } from '../sockets/handle-descriptor.ts';
import { openProcessNow, signalGroupThrough, signalThrough } from '../system-calls/pidfd-calls.ts';
import { arm } from './arm-timer.ts';
import { enterGroup, killGroups, removeEmptyGroups } from './control-group.ts';
import { findMembers } from './find-members.ts';
import { cannotStart, startRequested, watchClosing, type StartedWithOutput } from './start-with-output.ts';
import { readPidFile, type PidFileContent } from './pid-file.ts';
import type {
  AdoptedHow,
  InheritedWorker,
  OutputStream,
  ProcessListeners,
  SpawnRequest,
  WorkerProcess,
} from './platform.ts';
import { killTree } from './process-tree.ts';
import { sendSignal } from './send-signal.ts';
import { hasUnread, streamFrom, suspendReading } from './suspend-reading.ts';
import { watchDescriptor } from './watch-process-end.ts';

/** How often the pid file is read again while it is expected to name a process. It is not read at other times. */
const lookAgainMs = 100;

/** How long a process that has inherited stderr may keep an exit from being reported. */
const stderrGraceMs = 250;

/** How often the master checks whether the process exists, if the kernel has no pidfd (before Linux 5.3). */
const pollMs = 5_000;

interface Daemon {
  readonly pid: number;
  readonly startedAt: number;
  readonly session: number;
  /** The pidfd of the process, or null if the kernel has none. */
  readonly descriptor: number | null;
}

type Named = Extract<PidFileContent, { readonly kind: 'names' }>;

const unknown: Outcome = { code: null, signal: null };

/** Adopts the process that the pid file names, or else starts the command. Returns null if that could not be started: then `failed` says why. */
export function adoptOrStart(request: SpawnRequest, listeners: ProcessListeners): WorkerProcess | null {
  return watchOver(request, request, null, listeners);
}

/** Takes over a daemon from the previous image of this process. */
export function inheritDaemon(worker: InheritedWorker, listeners: ProcessListeners): WorkerProcess | null {
  return watchOver(worker, null, worker, listeners);
}

/** `request`: what to start if the file names no process. `inherited`: the daemon, if it was adopted already. */
function watchOver(
  { tree, pidFile }: Pick<SpawnRequest, 'tree' | 'pidFile'>,
  request: SpawnRequest | null,
  inherited: InheritedWorker | null,
  listeners: ProcessListeners,
): WorkerProcess | null {
  const { path, graceMs } = pidFile ?? { path: '', graceMs: 0 };
  let daemon: Daemon | null = null;
  /** The command, while it runs; otherwise null. */
  let launcher: ChildProcess | null = null;
  let output: StartedWithOutput['streams'] | null = null;
  /** The daemon that was adopted last. */
  let last: Daemon | null = null;
  let lastPid = 0;
  /** Whether the daemon was told to end. `lastSignal`: the signal that told it, if there was one. */
  let isEnding = false;
  let lastSignal: { readonly signal: NodeJS.Signals; readonly isForGroup: boolean } | null = null;
  let isOver = false;
  let cancelLook = (): void => undefined;

  if (inherited !== null) takeOver(inherited);
  else {
    const first = readPidFile(path);
    if (first.kind === 'unsafe') {
      setImmediate(() => {
        listeners.failed(unsafe(first));
      });
      return null;
    }
    if (first.kind !== 'names' || !adopt(first, 'running')) {
      if (request === null || !start(request)) return null;
      search('started', null, null);
    }
  }

  function takeOver({ pid, descriptors }: InheritedWorker): void {
    const stat = readProcessStat(pid);
    daemon = {
      pid,
      startedAt: stat?.startedAt ?? 0,
      session: stat?.session ?? 0,
      descriptor: descriptors.process,
    };
    last = daemon;
    lastPid = pid;
    watch(daemon);
    read({ stdout: streamFrom(descriptors.stdout), stderr: streamFrom(descriptors.stderr) }, false);
  }

  /** Reads the streams of the command. The daemon may keep them, so they are read for as long as it writes, and do not keep this process alive. */
  function read(streams: StartedWithOutput['streams'], isJoined: boolean): void {
    output = streams;
    streams.stderr?.on('data', listeners.stderr);
    streams.stdout?.on('data', isJoined ? listeners.stderr : (listeners.stdout ?? ignore));
    for (const stream of ['stdout', 'stderr'] as const)
      streams[stream]?.unref().once('close', () => listeners.streamEnded?.(stream));
  }

  function start(wanted: SpawnRequest): boolean {
    const { child, streams } = startRequested(wanted);
    if (child.pid === undefined) {
      child.once('error', (error) => {
        listeners.failed(cannotStart(wanted.file, error));
      });
      return false;
    }
    void enterGroup(tree, child.pid);
    launcher = child;
    lastPid = child.pid;
    child.on('error', () => undefined);
    read(streams, wanted.stdout === 'joined');
    const whenClosed = watchClosing([child, ...Object.values(streams).filter((stream) => stream !== null)]);
    child.once('exit', (code, signal) => {
      launcher = null;
      if (daemon?.pid === child.pid) {
        if (daemon?.descriptor != null) closeSync(daemon.descriptor);
        ended({ code, signal });
      }
      // A command that ends with code 0 has done its work. Whether its daemon appears is watched until the daemon would have to be ready.
      else if (daemon === null && (code !== 0 || isEnding)) {
        // After a start that has failed, the file is not trusted. At a stop, the daemon may still appear, and is then told to end.
        if (!isEnding) cancelLook();
        whenRead(whenClosed, () => {
          if (daemon === null) ended({ code, signal });
        });
      }
    });
    return true;
  }

  /** Adopts a process; false if it has ended meanwhile. */
  function adopt({ pid, startedAt }: Named, how: AdoptedHow): boolean {
    const descriptor = openProcessNow(pid);
    const stat = readProcessStat(pid);
    // The process that was opened must be the one that was checked before.
    if (stat?.startedAt !== startedAt) {
      if (descriptor !== null) closeSync(descriptor);
      return false;
    }
    const own: Daemon = { pid, startedAt, session: stat.session, descriptor };
    // If the previous daemon is the command itself, nothing else closes its descriptor.
    if (daemon !== null && daemon.pid === launcher?.pid && daemon.descriptor !== null)
      closeSync(daemon.descriptor);
    daemon = own;
    last = own;
    lastPid = pid;
    // If the process is the command itself, its exit is reported anyway.
    if (launcher?.pid !== pid) watch(own);
    setImmediate(() => {
      if (daemon === own && !isOver) listeners.adopted?.(pid, isEnding ? 'changed' : how);
    });
    // The daemon appeared after the stop had begun.
    if (lastSignal !== null) signalDaemon(own, lastSignal.signal, lastSignal.isForGroup);
    return true;
  }

  function watch(own: Daemon): void {
    const gone = (): void => {
      // How a process ended is known only to its parent.
      if (daemon === own) ended(unknown);
    };
    if (own.descriptor === null || watchDescriptor(own.descriptor, gone) === null) poll(own, gone);
  }

  function poll(own: Daemon, gone: () => void): void {
    arm(pollMs, () => {
      if (stillRuns(own)) poll(own, gone);
      else gone();
    });
  }

  /**
   * Called when the daemon, or the command that was to start it, has ended. It may have handed over to another process, which the file names at once or
   * soon.
   */
  function ended(outcome: Outcome): void {
    const before = daemon;
    daemon = null;
    if (isOver) return;
    if (isEnding || before === null) finish(outcome);
    else search('changed', before, { outcome, until: performance.now() + graceMs });
  }

  /** Reads the file until it names a process other than `before`, or the time is up. */
  function search(
    how: AdoptedHow,
    before: Daemon | null,
    end: { readonly outcome: Outcome; readonly until: number } | null,
  ): void {
    cancelLook();
    if (isOver || daemon !== null) return;
    const found = readPidFile(path);
    if (found.kind === 'unsafe') {
      listeners.stderr(Buffer.from(`graceful-run: cannot use the pid file: ${found.problem}\n`));
      killTreeNow();
      finish(end?.outcome ?? unknown);
      return;
    }
    const isOther =
      found.kind === 'names' && (found.pid !== before?.pid || found.startedAt !== before.startedAt);
    if (isOther && adopt(found, how)) return;
    if (found.kind === 'namesNone') listeners.problem?.(found.problem);
    if (end !== null && performance.now() >= end.until) finish(end.outcome);
    else
      cancelLook = arm(lookAgainMs, () => {
        search(how, before, end);
      });
  }

  function finish(outcome: Outcome): void {
    if (isOver) return;
    isOver = true;
    cancelLook();
    if (launcher?.pid !== undefined) killTree({ pids: [launcher.pid], sessions: [launcher.pid] });
    if (last !== null) killRest(last);
    removeEmptyGroups();
    listeners.exit(outcome);
  }

  /** Adopts the process that the file names, if that is another one by now: signals are meant for it. */
  function follow(): void {
    const named = isOver ? null : readPidFile(path);
    if (named?.kind !== 'names') return;
    if (named.pid !== daemon?.pid || named.startedAt !== daemon.startedAt) adopt(named, 'changed');
  }

  function killTreeNow(): void {
    const pids = [
      ...(daemon !== null && stillRuns(daemon) ? [daemon.pid] : []),
      ...(launcher?.pid === undefined ? [] : [launcher.pid]),
    ];
    const others = findMembers((of) => of === tree).map((one) => one.pid);
    killTree({ pids: [...pids, ...others], sessions: [] });
    killGroups((of) => of === tree);
  }

  return {
    get pid() {
      return daemon?.pid ?? launcher?.pid ?? lastPid;
    },
    send: (_message, _handle, sent = () => undefined) => {
      sent();
    },
    noteServing: () => undefined,
    noteTold: () => undefined,
    endWatchers: () => undefined,
    holdOutput: (stream: OutputStream, isHeld) => {
      if (isHeld) output?.[stream]?.pause();
      else output?.[stream]?.resume();
    },
    descriptors: () => ({
      channel: null,
      stdout: handleDescriptor(output?.stdout),
      stderr: handleDescriptor(output?.stderr),
      newline: null,
      process: daemon?.descriptor ?? null,
    }),
    suspendOutput: (isSuspended) => {
      if (output !== null) suspendReading(output, isSuspended);
    },
    // Only a daemon can be handed over, and not the command that starts one.
    isBusy: () =>
      daemon === null ||
      (launcher !== null && launcher.pid !== daemon.pid) ||
      (output !== null && hasUnread(output)),
    killTree: () => {
      isEnding = true;
      lastSignal = null;
      follow();
      lastSignal = { signal: 'SIGKILL', isForGroup: false };
      killTreeNow();
      if (daemon === null && launcher === null) finish(unknown);
    },
    signal: (signal, isForGroup) => {
      isEnding = true;
      lastSignal = null;
      follow();
      lastSignal = { signal, isForGroup };
      if (daemon === null) {
        if (launcher?.pid !== undefined) sendSignal(-launcher.pid, signal);
        else finish(unknown);
      } else signalDaemon(daemon, signal, isForGroup);
    },
  };
}

const ignore = (): void => undefined;

/** Calls back when the output is read to its end, because that may say why the process has ended; or after a while, because a daemon may hold its stderr. */
function whenRead(whenClosed: (closed: () => void) => void, read: () => void): void {
  let isOver = false;
  const once = (): void => {
    if (!isOver) read();
    isOver = true;
  };
  whenClosed(once);
  arm(stderrGraceMs, once);
}

/** Kills what a daemon has left in its session, such as its workers, which hold its port; unless the session belongs to another process, such as a shell. */
function killRest({ session }: Daemon): void {
  const leader = readProcessStat(session);
  const isOwn = session > 1 && session !== readProcessStat('self')?.session;
  if (isOwn && (leader === null || hasEnded(leader))) killTree({ pids: [], sessions: [session] });
}

function signalDaemon(daemon: Daemon, signal: NodeJS.Signals, isForGroup: boolean): void {
  const { pid, descriptor } = daemon;
  if (isForGroup && signalGroup(daemon, signal)) return;
  if (descriptor !== null) signalThrough(descriptor, constants.signals[signal]);
  else if (stillRuns(daemon)) sendSignal(pid, signal);
}

/** False if the daemon leads no group, or the group is gone. Before Linux 6.9, only its number names a group: that is checked in the moment before. */
function signalGroup(daemon: Daemon, signal: NodeJS.Signals): boolean {
  const { pid, descriptor } = daemon;
  if (readProcessStat(pid)?.group !== pid) return false;
  const sent = descriptor === null ? null : signalGroupThrough(descriptor, constants.signals[signal]);
  return sent ?? (stillRuns(daemon) && sendSignal(-pid, signal));
}

function unsafe({ problem, hint }: Extract<PidFileContent, { readonly kind: 'unsafe' }>): GracefulRunError {
  return new GracefulRunError('startFailed', `cannot use the pid file: ${problem}`, {
    hint: hint ?? 'it has to be a file that only root, or the user whose process it names, can write',
  });
}
