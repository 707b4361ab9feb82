/** Starts the process of a worker, as the leader of a session of its own, with an IPC channel; reports what it writes and how it ends. */
import net from 'node:net';
import { constants } from 'node:os';
import type { ChildProcess } from 'node:child_process';
import type { Outcome } from '../../shared/events.ts';
import { isNode } from '../../shared/is-node.ts';
import { type ProcessStat, readProcessStat, stillRuns } from '../../shared/process-stat.ts';
import { wrapForWorker } from '../../shared/protocol.ts';
import { type AfterDeath, type AfterMaster, createAfterMaster } from './after-master.ts';
import { handleDescriptor } from '../sockets/handle-descriptor.ts';
import { arm } from './arm-timer.ts';
import { enterGroup, removeEmptyGroups } from './control-group.ts';
import { guardChannel, type GuardedChannel } from './channel-guard.ts';
import { killWorker } from './kill-workers.ts';
import { cannotStart, type StartedWithOutput, startRequested, watchClosing } from './start-with-output.ts';
import type { LeftStream, OutputStream, ProcessListeners, SpawnRequest, WorkerProcess } from './platform.ts';
import { findLaunchers, killTree, type Roots } from './process-tree.ts';
import { sendSignal } from './send-signal.ts';
import { hasUnread, suspendReading } from './suspend-reading.ts';
import { watchEnd } from './watch-process-end.ts';

export const afterMaster: AfterMaster = createAfterMaster();

/** How long another process that has inherited stderr may delay the report of an exit. It keeps its stderr. */
const stderrGraceMs = 250;
/** How long a slow disk may delay it. */
const longestHeldMs = 10_000;

const ignore = (): void => undefined;

export function spawnWorker(request: SpawnRequest, listeners: ProcessListeners): WorkerProcess | null {
  const { file, isNode: isOnlyNode, outliveMs, readyFd, tree } = request;
  // A process that must not outlive this one even for a moment needs the script first: this process may be killed right after the start.
  if (outliveMs === 0) afterMaster.begin();
  const { child, streams } = startRequested(request, {
    inherited: [...request.listeners.map(({ fd }) => fd), 'ipc', ...upTo(readyFd, request.listeners.length)],
    holdsReadEnds: true,
  });
  const { pid } = child;
  if (pid === undefined) {
    child.once('error', (error) => {
      listeners.failed(cannotStart(file, error));
    });
    return null;
  }
  if (!isOnlyNode) void enterGroup(tree, pid);
  const newlines = readyFd === null ? null : child.stdio[readyFd];
  const started = {
    child,
    pid,
    streams,
    newlines: newlines instanceof net.Socket ? newlines : null,
    isOnlyNode,
    outliveMs,
    tree,
  };
  // What supervises a worker lives as long as the worker: it must not keep the request, with its environment, in memory.
  return superviseWorker(
    started,
    request.stdout === 'joined' ? { ...listeners, stdout: listeners.stderr } : listeners,
  );
}

/** The process of a worker, however this process has come to be its parent. */
export interface WorkerChild extends StartedWithOutput {
  readonly pid: number;
  /** The pipe to which it writes a newline when it is ready; null if there is none. */
  readonly newlines: net.Socket | null;
  /** Whether it is Node.js with the preload, and nothing that may start other programs. */
  readonly isOnlyNode: boolean;
  readonly outliveMs: number;
  readonly tree: string;
}

/** Reports what the process of a worker says, writes and ends with. */
export function superviseWorker(
  { child, pid, streams, newlines, isOnlyNode, outliveMs, tree }: WorkerChild,
  listeners: ProcessListeners,
): WorkerProcess {
  // The other end of the channel is gone: the exit reports everything that matters.
  child.on('error', () => undefined);
  const read = [streams.stdout === null ? [] : [1 as const], streams.stderr === null ? [] : [2 as const]];
  const pipes = read.flat();
  afterMaster.watch(pid, { outliveMs, pipes, told: null });
  const channel = guardOrKill(child, pid, listeners);
  streams.stderr?.on('data', listeners.stderr);
  streams.stdout?.on('data', listeners.stdout ?? ignore);
  for (const stream of ['stdout', 'stderr'] as const)
    streams[stream]?.once('close', () => listeners.streamEnded?.(stream));
  const held = new Set<OutputStream>();
  if (newlines !== null) readNewline(newlines, listeners);
  /** Callbacks of messages on their way. Node.js does not call them if the other end is gone before it has answered. */
  const onTheWay = new Set<() => void>();
  let serving: ProcessStat | null = null;
  let drainSignal: NodeJS.Signals | null = null;
  let launchers: readonly ProcessStat[] = [];
  let told: AfterDeath['told'] = null;
  const watchServing = (servingPid: number): void => {
    afterMaster.watch(pid, { outliveMs, pipes, told: servingPid === pid ? told : null });
    // It has the pipes of the process that was started.
    if (servingPid !== pid) afterMaster.watch(servingPid, { outliveMs, pipes: [], told });
  };
  const killRest = (): void => {
    // Processes that the worker has left in its group hold stderr, and perhaps the port.
    sendSignal(-pid, 'SIGKILL');
    const roots = rootsOf(null, pid, serving);
    if (roots.pids.length > 0 || roots.sessions.some((session) => session !== pid)) killTree(roots);
  };
  /**
   * Returns the program if it outlives the process that was started. Signals to the whole tree (systemd, pm2) end a shell or npm at once, while its
   * program only begins to drain.
   */
  const findOutlived = (outcome: Outcome): number | null => {
    if (serving === null || !child.connected || !isEndedByRequest(outcome)) return null;
    const [running = null] = rootsOf(null, pid, serving).pids;
    // Perhaps only the launcher was signalled. A worker that drains already ignores this signal.
    if (running !== null && drainSignal !== null) sendSignal(running, drainSignal);
    return running;
  };
  watchExit(
    child,
    [streams.stdout, streams.stderr].filter((stream) => stream !== null),
    channel,
    findOutlived,
    killRest,
    () => held.size > 0,
    (outcome) => {
      newlines?.destroy();
      afterMaster.forget(pid);
      if (serving !== null) afterMaster.forget(serving.pid);
      for (const done of onTheWay) done();
      if (!isOnlyNode) removeEmptyGroups();
      listeners.exit(outcome);
    },
  );
  return {
    pid,
    send: (message, handle, sent = () => undefined) => {
      if (!child.connected) {
        sent();
        return;
      }
      const done = (): void => {
        if (onTheWay.delete(done)) sent();
      };
      onTheWay.add(done);
      // The type of send() knows only net.Socket and net.Server.
      child.send(wrapForWorker(message), handle as never, {}, done);
    },
    noteServing: (servingPid, itsDrainSignal, orphaned) => {
      drainSignal = itsDrainSignal;
      told = orphaned === null || drainSignal === null ? null : { ...orphaned, signal: drainSignal };
      if (serving !== null) afterMaster.forget(serving.pid);
      serving = servingPid === pid ? null : readProcessStat(servingPid);
      launchers = serving === null ? [] : findLaunchers(serving, pid);
      watchServing(servingPid);
    },
    noteTold: () => {
      if (told === null) return;
      told = null;
      watchServing(serving?.pid ?? pid);
    },
    endWatchers: () => {
      const isNodeAtAll = isNode(pid);
      // Everything that such a command has started beside its server ends with it.
      if (isNodeAtAll) sendSignal(-pid, 'SIGTERM');
      for (const { pid: launcher, group, startedAt } of launchers) {
        if (isNodeAtAll && group === pid) continue;
        if (readProcessStat(launcher)?.startedAt === startedAt && isNode(launcher))
          sendSignal(launcher, 'SIGTERM');
      }
    },
    holdOutput: (stream, isHeld) => {
      if (isHeld) {
        held.add(stream);
        streams[stream]?.pause();
      } else if (held.delete(stream)) streams[stream]?.resume();
    },
    suspendOutput: (isSuspended) => {
      suspendReading(streams, isSuspended);
    },
    descriptors: () => ({
      channel: channel.fd(),
      stdout: handleDescriptor(streams.stdout),
      stderr: handleDescriptor(streams.stderr),
      newline: handleDescriptor(newlines),
      process: null,
    }),
    isBusy: () =>
      // Its exit is about to be reported, or its program outlives it.
      child.exitCode !== null ||
      child.signalCode !== null ||
      onTheWay.size > 0 ||
      channel.isWithinMessage() ||
      hasUnread(streams),
    killTree: () => {
      // Until the exit is reported, no other process can have this pid.
      const isThere = (): boolean => child.exitCode === null && child.signalCode === null;
      killWorker({
        tree,
        roots: () => rootsOf(isThere() ? pid : null, pid, serving),
        killGroup: () => {
          if (isThere()) sendSignal(-pid, 'SIGKILL');
        },
      });
    },
  };
}

/** The entries of the list of descriptors after the channel, up to the one on which the worker reports that it is ready. */
function upTo(readyFd: number | null, listeners: number): ('ignore' | 'pipe')[] {
  if (readyFd === null) return [];
  const first = 3 + listeners + 1;
  return Array.from({ length: readyFd - first + 1 }, (_, at) => (first + at === readyFd ? 'pipe' : 'ignore'));
}

/** Reports the newline of readiness. The socket is still read after it, so that further writes do not fail, but it does not keep this process alive. */
function readNewline(signs: net.Socket, { newline }: ProcessListeners): void {
  signs.unref();
  signs.on('error', () => undefined);
  signs.on('data', (bytes: Buffer) => {
    if (bytes.includes('\n')) newline?.();
  });
}

/** The roots of a search for what a worker has started: the worker, its session, the process that serves, and the session of that process. */
function rootsOf(worker: number | null, session: number, serving: ProcessStat | null): Roots {
  const pids = worker === null ? [] : [worker];
  if (serving === null) return { pids, sessions: [session] };
  // While a process of a session runs, its number is not given to another process.
  const leader = readProcessStat(serving.session);
  const isSameSession = leader === null || leader.startedAt <= serving.startedAt;
  return {
    pids: stillRuns(serving) ? [...pids, serving.pid] : pids,
    sessions: isSameSession ? [session, serving.session] : [session],
  };
}

/** Guards the channel. If that fails, kills the process and throws the error of `guardChannel`. */
function guardOrKill(child: ChildProcess, pid: number, listeners: ProcessListeners): GuardedChannel {
  try {
    return guardChannel(child, listeners);
  } catch (error) {
    afterMaster.forget(pid);
    sendSignal(-pid, 'SIGKILL');
    throw error;
  }
}

/** From how many helpers that have outlived their workers the stderr is read. If there are more, the oldest stream is closed. */
const maxLeftStreams = 64;

const leftStreams = new Map<net.Socket, number>();

/** The streams of helpers that have outlived their workers, with the pids of the workers. */
export function streamsLeft(): readonly LeftStream[] {
  return [...leftStreams].flatMap(([stream, worker]) => {
    const fd = handleDescriptor(stream);
    return fd === null ? [] : [{ fd, worker }];
  });
}

/** Reads on from a stream that was left under the previous image of this process. */
export function inheritLeftStream({ fd, worker }: LeftStream, write: (bytes: Uint8Array) => void): void {
  const stream = new net.Socket({ fd, readable: true, writable: false });
  stream.on('error', () => undefined);
  stream.on('data', write);
  readOn(stream, worker);
}

function readOn(stderr: net.Socket, worker: number): void {
  if (stderr.destroyed || stderr.readableEnded) return;
  stderr.unref();
  leftStreams.set(stderr, worker);
  stderr.once('close', () => leftStreams.delete(stderr));
  const [oldest] = leftStreams.keys();
  if (leftStreams.size > maxLeftStreams) oldest?.destroy();
}

/** Signals that ask a process to end. A launcher may report such an end by its exit code instead. */
const requests: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'];

function isEndedByRequest({ code, signal }: Outcome): boolean {
  return requests.some((name) => signal === name || code === 128 + constants.signals[name]);
}

/**
 * Reports the exit when stderr was read to its end, or at the latest `stderrGraceMs` after the exit. `findOutlived` finds a program that outlives the
 * process that was started: then the end of that program counts as the exit.
 */
function watchExit(
  child: ChildProcess,
  streams: readonly net.Socket[],
  channel: GuardedChannel,
  findOutlived: (outcome: Outcome) => number | null,
  killRest: () => void,
  isHeld: () => boolean,
  exit: ProcessListeners['exit'],
): void {
  const whenClosed = watchClosing([child, ...streams]);
  child.once('exit', (code, signal) => {
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      ended(code, signal);
    };
    const program = findOutlived({ code, signal });
    if (program === null) {
      end();
      return;
    }
    // When the program ends, the channel closes, unless another process has inherited it.
    child.once('disconnect', end);
    void watchEnd(program, end);
  });
  function ended(code: number | null, signal: NodeJS.Signals | null): void {
    let isReported = false;
    const report = (): void => {
      if (isReported) return;
      isReported = true;
      cancelPatience();
      // A helper in a session of its own may keep running and writing: its output is read for as long as the master runs.
      for (const stream of streams) readOn(stream, child.pid ?? 0);
      // Another process may hold the other end of the channel.
      channel.close();
      exit({ code, signal });
    };
    // While the output is held, the rest of it waits in the pipe.
    let leftMs = longestHeldMs;
    const look = (): void => {
      leftMs -= stderrGraceMs;
      if (isHeld() && leftMs > 0) cancelPatience = arm(stderrGraceMs, look);
      else report();
    };
    let cancelPatience = arm(stderrGraceMs, look);
    killRest();
    whenClosed(report);
  }
}
