/**
 * Every power that the master has over the operating system, in one interface: the real one is in system.ts,
 * a fake one drives the tests. Nothing in here decides anything.
 */
import type { Clock } from '../../shared/clock.ts';
import type { GracefulRunError } from '../../shared/errors.ts';
import type { Outcome } from '../../shared/events.ts';
import type { MasterMessage } from '../../shared/protocol.ts';
import type { Start } from '../launch/trampoline.ts';
import type { BoundListener } from '../sockets/listener.ts';
import type { ToldLater } from './after-master.ts';
import type { ListenerUse } from './listener-use.ts';

/** What a worker writes. */
export type OutputStream = 'stdout' | 'stderr';

/**
 * How a process became the worker that its pid file names. `running`: it was running already. `started`: the command has started it. `changed`: it has
 * taken over from another process.
 */
export type AdoptedHow = 'running' | 'started' | 'changed';

/** What a worker process reports to the master's shell. */
export interface ProcessListeners {
  /** Called with whatever arrives on the IPC channel. It is not checked yet. */
  readonly message: (raw: unknown) => void;
  /** Called when data arrives on the IPC channel that is not a message. */
  readonly garbage: () => void;
  /** Called with the bytes that the process writes to stderr. */
  readonly stderr: (bytes: Uint8Array) => void;
  /** Called with the bytes that the process writes to stdout, if that is read. */
  readonly stdout?: (bytes: Uint8Array) => void;
  /** Called once for each stream that is read, when no process has its other end any more, so that no more data comes. This may be after `exit`. */
  readonly streamEnded?: (stream: OutputStream) => void;
  /** Called when the process writes a newline to the descriptor for its readiness. */
  readonly newline?: () => void;
  /** With a pid file: this process is the worker from now on. */
  readonly adopted?: (pid: number, how: AdoptedHow) => void;
  /** With a pid file: says why no process is the worker yet. */
  readonly problem?: (problem: string) => void;
  /** Called once, when the process has ended and was reaped, and its stderr was read to the end (or is held open by another process). */
  readonly exit: (outcome: Outcome) => void;
  /** Called once, instead of everything else, if the process could not be started. */
  readonly failed: (error: GracefulRunError) => void;
}

/** A pipe into which a helper still writes that has outlived its worker. `worker`: the pid of that worker. */
export interface LeftStream {
  readonly fd: number;
  readonly worker: number;
}

/** A handle of libuv, which Node.js sends as it is. */
export interface Handle {
  close(): void;
}

/** The descriptors that this process has open for a worker; null for each that it has not. */
export interface WorkerDescriptors {
  /** The worker's IPC channel. */
  readonly channel: number | null;
  /** The pipes from which its output is read. */
  readonly stdout: number | null;
  readonly stderr: number | null;
  /** The pipe to which it writes a newline when it is ready. */
  readonly newline: number | null;
  /** The pidfd of a process that a pid file names. */
  readonly process: number | null;
}

/** A socket to which a worker sends what sd_notify(3) says. */
export interface NotifySocket {
  /** Null if there is no socket. */
  readonly fd: number | null;
  /** Closes it and removes its file. */
  close(): void;
}

export interface WorkerProcess {
  /** The pid of the process, which is also the id of its process group. */
  readonly pid: number;
  /** Sends a message, together with `handle` if there is one. Does nothing if the channel is closed: then the exit follows. `sent` is called in any case. */
  send(message: MasterMessage, handle?: Handle, sent?: () => void): void;
  /**
   * Notes which of the worker's processes serves. When the worker ends or is killed, that process is ended, too, wherever it has moved by then. If the
   * process that was started ends because it was asked to, the serving one gets `drainSignal`; null if no signal makes it drain. If this process is killed,
   * it gets that signal as `orphaned` says; null if it notices by itself.
   */
  noteServing(pid: number, drainSignal: NodeJS.Signals | null, orphaned: ToldLater | null): void;
  /** Notes that the worker was told to drain or to end: many programs stop at once if they are told again. */
  noteTold(): void;
  /**
   * Called when the process that served is gone, and the command that started it keeps running. Sends SIGTERM to the Node.js processes between the two,
   * because a watcher would wait for a change. A shell is left alone: it may have clean-ups of its own, and ends after them.
   */
  endWatchers(): void;
  /** Stops reading this stream, so that the process waits when the pipe is full; or continues to read it. */
  holdOutput(stream: OutputStream, isHeld: boolean): void;
  /** Leaves everything that the process writes from now on in its pipes, whether or not it is held, so that another image can read it; or ends that. */
  suspendOutput(isSuspended: boolean): void;
  /** The descriptors that this process has open for the worker. */
  descriptors(): WorkerDescriptors;
  /** Whether something is under way that another image could not take over: a message, the report of its exit, or output that was read and not handed on. */
  isBusy(): boolean;
  /**
   * Sends the signal to the process, or to its group if it leads one. Only a process that a pid file names has this function, because its number may be
   * another process's by now.
   */
  signal?(signal: NodeJS.Signals, isForGroup: boolean): void;
  /** Kills the process with everything that it has started, in whatever group and session. Without /proc, it kills the group. */
  killTree(): void;
}

export interface SpawnRequest {
  /** Absolute path of the executable. */
  readonly file: string;
  readonly args: readonly string[];
  /** The executable of the program that the process becomes in the end. */
  readonly program: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** A value in the environment of this worker's processes only: the name of the lock on its channel. */
  readonly mark: string;
  /** The file that names the worker's process, and how long it may name none. Null: the process that is started is the worker. */
  readonly pidFile?: { readonly path: string; readonly graceMs: number } | null;
  /** A value in the environment of the worker and its descendants, as long as they keep it. */
  readonly tree: string;
  /** Whether the process is Node.js with the preload, and not something that may start such a process or another program. */
  readonly isNode: boolean;
  /** The listeners that the process inherits at fd 3, 4 …, in this order. */
  readonly listeners: readonly BoundListener[];
  /** The command that finds out whether the worker is ready, or null if there is none. */
  readonly probe: Start | null;
  /** The path of NOTIFY_SOCKET (sd_notify(3)), which has to be opened before the start; null if the worker has none. */
  readonly notifyPath: string | null;
  /** The user of the worker, or null if it is the user of this process. */
  readonly uid: number | null;
  /** The descriptor, after that of the channel, on which the worker may report that it is ready; null if there is none. */
  readonly readyFd: number | null;
  /** How long the process may keep running after this one was killed. */
  readonly outliveMs: number;
  /** The signal that makes the worker drain if it is not Node.js, or null if none does. */
  readonly drainSignal: NodeJS.Signals | null;
  /**
   * The kind of stdout. `inherited`, the default: this process's own. `discarded`: it is thrown away. `read`: it is reported. `joined`: it is reported as
   * if it were stderr.
   */
  readonly stdout?: 'inherited' | 'discarded' | 'read' | 'joined';
}

/** A worker that another image of this process has started, before it was replaced by execve(2). The process is still a child of this one. */
export interface InheritedWorker {
  readonly pid: number;
  readonly descriptors: WorkerDescriptors;
  readonly tree: string;
  readonly isNode: boolean;
  readonly outliveMs: number;
  /** As in SpawnRequest. */
  readonly pidFile: { readonly path: string; readonly graceMs: number } | null;
}

/** A way to find out from outside whether a worker can serve. */
export type Probe =
  | { readonly kind: 'tcp'; readonly port: number }
  | {
      readonly kind: 'http';
      readonly host: string;
      readonly port: number;
      readonly path: string;
      /** The port of `host` from which the request comes; null for any. */
      readonly fromPort: number | null;
      readonly userAgent: string | null;
    }
  | {
      readonly kind: 'exec';
      /** The command as the operator wrote it. */
      readonly command: string;
      readonly start: Start;
      readonly cwd: string;
    };

export interface StartedProbe {
  /** Resolves to null if the attempt succeeded, or else to the reason in a few words. Does not reject. */
  readonly outcome: Promise<string | null>;
  /** Ends the attempt. */
  readonly cancel: () => void;
}

export interface Platform {
  readonly clock: Clock;
  /** Has to be called before the first spawn() with a pid file. */
  prepareToAdopt(): Promise<void>;
  /** Starts a process as the leader of its own group, with an IPC channel. Returns null if that fails: then `failed` says why. */
  spawn(request: SpawnRequest, listeners: ProcessListeners): WorkerProcess | null;
  /** Takes over a worker from the previous image of this process. Throws GracefulRunError `upgradeFailed` if this Node.js cannot do that. */
  inherit(worker: InheritedWorker, listeners: ProcessListeners): WorkerProcess | null;
  /**
   * Gives each of the two workers one end of a socket pair, over which connections move. `more`: how many further destinations of this source follow at
   * once. Returns null, or why it cannot be done.
   */
  introduce(source: WorkerProcess, destination: WorkerProcess, more: number): string | null;
  /**
   * Calls back when the process that reads the worker's channel is gone, although the worker itself, such as a shell, keeps running. Returns a function
   * that ends the watch; null if the process cannot be watched.
   */
  watchListener(worker: WorkerProcess, gone: () => void): (() => void) | null;
  /**
   * Calls back for each datagram that a worker sends to the socket at `path`. `uid`: of the user of the worker, if it is another one
   * than that of this process. Throws GracefulRunError `startFailed`.
   */
  openNotifySocket(path: string, uid: number | null, received: (bytes: Uint8Array) => void): NotifySocket;
  /** As openNotifySocket(), for a socket that the previous image of this process has opened. */
  inheritNotifySocket(path: string, fd: number, received: (bytes: Uint8Array) => void): NotifySocket;
  /** The descriptor whose end tells the script after-master.sh that this process is dead; null if the script does not run. */
  afterMasterFd(): number | null;
  /** Uses the script to which this descriptor leads, instead of starting another one. */
  inheritAfterMaster(fd: number): void;
  /** The pipes of helpers that have outlived their workers. */
  leftStreams(): readonly LeftStream[];
  /** Reads on from such a pipe. */
  inheritLeftStream(stream: LeftStream, write: (bytes: Uint8Array) => void): void;
  /** Makes accept(2) wait on this listening socket, in every process that holds it. */
  makeBlocking(fd: number): void;
  /** Makes accept(2) return at once on this listening socket, in every process that holds it. */
  makeNonBlocking(fd: number): void;
  /** The inode of a descriptor of this process; null if it is not open. */
  inodeOf(fd: number): number | null;
  /** How the processes of `worker` wait for connections of the listener with this inode. */
  listenerUse(worker: number, inode: number): ListenerUse;
  /** Whether a process has ended the listening of this socket for all processes, by shutdown(2). */
  isShut(fd: number): boolean;
  /** Makes a socket that was shut down listen again at this address (a sockaddr of the system). Returns null, or the problem. */
  listenAgain(fd: number, sockaddr: Uint8Array, backlog: number): string | null;
  /** The processes that a worker has left behind and that hold one of these listeners. `mark`: that of the worker's SpawnRequest. */
  findStrays(mark: string, fds: readonly number[]): readonly number[];
  /** Kills what the workers of a program have left behind. `tree`: the name by which all of them are found. Returns the pids. */
  killLeftovers(tree: string): readonly number[];
  /** Starts one attempt to find out whether a worker can serve. */
  probe(probe: Probe): StartedProbe;
  /** Whether a process of `worker` is a Node.js that has inherited one of the listeners with these descriptors, and may be the server. */
  findNode(worker: number, fds: readonly number[]): boolean;
  /** The resident memory of each worker with everything that it has started, in bytes; 0 if that cannot be seen. */
  residentBytes(workers: readonly number[]): readonly number[];
  /** The process of `worker` that serves, at the end of a chain of shells and other wrappers. Null if there are only wrappers. */
  findServing(worker: number, known?: number): number | null;
  /** Whether the process may start another program when the one that it waits for has ended. */
  isShell(pid: number): boolean;
  /** Calls back once when the process has ended, or never if that cannot be determined. Returns a function that ends the watch. */
  watchProcess(pid: number, ended: () => void): () => void;
  /** Sends a signal by kill(2). A process that is gone already is not an error. */
  signalProcess(pid: number, signal: NodeJS.Signals): void;
  /** Sends a signal to the whole group by kill(2). A group that is gone already is not an error. */
  signalGroup(pid: number, signal: NodeJS.Signals): void;
  /** Kills a worker whose master is dead, with everything that it has started. */
  killTree(pid: number): void;
  /** Whether `pid` is the process `worker`, one of its descendants, or in its group. True if that cannot be found out. */
  belongsToWorker(pid: number, worker: number): boolean;
  /** A Node.js process of `worker` that was started without the preload at this path, although it should have it; null if none is found. */
  findWithoutPreload(worker: number, preload: string): number | null;
  /** The process of `worker` that sees itself as `pid`, in whatever PID namespace; null if there is none. */
  findByOwnPid(pid: number, worker: number): number | null;
  /** Calls back once after `delayMs`, and after everything that had arrived by then was read. Returns a function that cancels it. */
  readonly arm: (delayMs: number, callback: () => void) => () => void;
  /** Calls back once when the wall clock shows `at` (ms since 1970), or earlier if it was set. Returns a function that cancels it. */
  readonly armWall: (at: number, callback: () => void) => () => void;
}
