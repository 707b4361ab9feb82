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

/** What a worker writes. */
export type OutputStream = 'stdout' | 'stderr';

/** How a process became the worker that its pid file names. `running`: it ran already. `started`: by the command. `changed`: it has taken over from another one. */
export type AdoptedHow = 'running' | 'started' | 'changed';

/** What a worker process reports to the master's shell. */
export interface ProcessListeners {
  /** Whatever came over the IPC channel, not looked at yet. */
  readonly message: (raw: unknown) => void;
  /** Data that is not a message came over the IPC channel. */
  readonly garbage: () => void;
  /** What the process wrote to stderr, as it wrote it. */
  readonly stderr: (bytes: Uint8Array) => void;
  /** What the process wrote to stdout, if that is read. */
  readonly stdout?: (bytes: Uint8Array) => void;
  /** No process has the other end of this stream any more: no more data arrives. May come after `exit`. Once for each stream that is read. */
  readonly streamEnded?: (stream: OutputStream) => void;
  /** It has written a newline to the descriptor for that. */
  readonly newline?: () => void;
  /** With a pid file: this process is the worker from now on. */
  readonly adopted?: (pid: number, how: AdoptedHow) => void;
  /** With a pid file: why no process is the worker yet. */
  readonly problem?: (problem: string) => void;
  /** Once: the process has ended, was reaped, and its stderr was read to the end (or is held open by a stranger). */
  readonly exit: (outcome: Outcome) => void;
  /** Once, instead of everything else: the process could not be started. */
  readonly failed: (error: GracefulRunError) => void;
}

/** One of libuv's own, which Node.js sends as it is. */
export interface Handle {
  close(): void;
}

export interface WorkerProcess {
  /** Also the id of its process group. */
  readonly pid: number;
  /** Does nothing if the channel is closed: the exit follows. `handle` travels beside it; `sent` is called in any case. */
  send(message: MasterMessage, handle?: Handle, sent?: () => void): void;
  /**
   * One of its processes serves: when the worker ends or is killed, that one goes too, wherever it has moved by then. It gets `drainSignal` when the
   * process that was started ends because it was asked to. Null: nothing makes it drain.
   */
  noteServing(pid: number, drainSignal: NodeJS.Signals | null): void;
  /**
   * The process that served is gone, and the command that started it keeps running. Sends SIGTERM to the Node.js processes between the two: a
   * watcher would wait for a change. A shell is left alone: it may have its own clean-up to do, and ends after that.
   */
  endWatchers(): void;
  /** Stops reading this stream, so that the process waits when the pipe is full; or reads on. */
  holdOutput(stream: OutputStream, isHeld: boolean): void;
  /** Only of a process that a pid file names, whose number may be another process's by now: sends the signal to it, or to its group if it leads one. */
  signal?(signal: NodeJS.Signals, isForGroup: boolean): void;
  /** Kills it with everything that it has started, in whatever group and session. Without /proc: its group. */
  killTree(): void;
}

export interface SpawnRequest {
  /** Absolute path of the executable. */
  readonly file: string;
  readonly args: readonly string[];
  /** The executable of the program, which the process becomes in the end. */
  readonly program: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What only this worker and its processes have in their environment: the name of its channel's lock. */
  readonly mark: string;
  /** The file that names the process that is the worker, and how long it may name none; null: the process that is started is the worker. */
  readonly pidFile?: { readonly path: string; readonly graceMs: number } | null;
  /** What it and its descendants have in their environment, as long as they keep it. */
  readonly tree: string;
  /** It is Node.js with the preload, and not something that may start such a process, or another program. */
  readonly isNode: boolean;
  /** Inherited at fd 3, 4 …, in this order. */
  readonly listeners: readonly BoundListener[];
  /** The command that finds out whether it is ready; null: there is none. */
  readonly probe: Start | null;
  /** Where it may say that it is ready: NOTIFY_SOCKET of sd_notify(3), which has to be opened before the start; null: nowhere. */
  readonly notifyPath: string | null;
  /** The user that the worker runs as, if it is another one than that of this process; else null. */
  readonly uid: number | null;
  /** The descriptor at which it may write that it is ready, after the channel; null: none. */
  readonly readyFd: number | null;
  /** How long the process may keep running after this one was killed. */
  readonly outliveMs: number;
  /** What makes it drain unless it is Node.js; null: nothing does. */
  readonly drainSignal: NodeJS.Signals | null;
  /**
   * What its stdout is. `inherited`, the default: this process's own. `discarded`: nothing of it is seen. `read`: it is reported. `joined`: it is
   * reported as if it were stderr.
   */
  readonly stdout?: 'inherited' | 'discarded' | 'read' | 'joined';
}

/** A way to find out from outside whether a worker can serve. */
export type Probe =
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'http'; readonly host: string; readonly port: number; readonly path: string }
  | {
      readonly kind: 'exec';
      /** As the operator wrote it. */
      readonly command: string;
      readonly start: Start;
      readonly cwd: string;
    };

export interface StartedProbe {
  /** Null: it succeeded. Otherwise the reason in a few words. Does not reject. */
  readonly outcome: Promise<string | null>;
  /** Ends the attempt. */
  readonly cancel: () => void;
}

export interface Platform {
  readonly clock: Clock;
  /** Before the first spawn() with a pid file. */
  prepareToAdopt(): Promise<void>;
  /** Starts a process as the leader of its own group, with an IPC channel. Null: it could not; `failed` says why. */
  spawn(request: SpawnRequest, listeners: ProcessListeners): WorkerProcess | null;
  /**
   * Gives both workers one end of a socket pair, over which connections move; `more` further destinations of this source follow at
   * once. Answers the problem if that cannot be done.
   */
  introduce(source: WorkerProcess, destination: WorkerProcess, more: number): string | null;
  /**
   * Calls back when the process that reads the worker's channel is gone, though the worker itself keeps running: a shell, for example. Returns what
   * ends that. Null when it cannot be done.
   */
  watchListener(worker: WorkerProcess, gone: () => void): (() => void) | null;
  /**
   * Calls back for each datagram that a worker sends to the socket at `path`. Returns what closes it. `uid`: of the user of the worker, if it is another one
   * than that of this process. Throws GracefulRunError `startFailed`.
   */
  openNotifySocket(path: string, uid: number | null, received: (bytes: Uint8Array) => void): () => void;
  /** Makes accept(2) wait on this listening socket, in every process that holds it. */
  makeBlocking(fd: number): void;
  /** Does a process of `worker` wait for one of the listeners with these descriptors in epoll(7), poll(2) or select(2)? False where that cannot be seen. */
  pollsListener(worker: number, fds: readonly number[]): boolean;
  /** Has a process ended the listening of this socket for all, by shutdown(2)? */
  isShut(fd: number): boolean;
  /** Makes a socket that was shut listen again at this address (a sockaddr of the system). Null, or the problem. */
  listenAgain(fd: number, sockaddr: Uint8Array, backlog: number): string | null;
  /** Processes that a worker has left behind and that hold one of these listeners. `mark` is that of its SpawnRequest. */
  findStrays(mark: string, fds: readonly number[]): readonly number[];
  /** Kills what the workers of a program have left behind. `tree`: what all of them are known by. Answers the pids. */
  killLeftovers(tree: string): readonly number[];
  /** One attempt. */
  probe(probe: Probe): StartedProbe;
  /** Is a process of `worker` a Node.js that has inherited one of the listeners with these descriptors, and may be the server? */
  findNode(worker: number, fds: readonly number[]): boolean;
  /** The resident memory of each of these workers with everything that they have started, in bytes; 0 where that cannot be seen. */
  residentBytes(workers: readonly number[]): readonly number[];
  /** The process of `worker` that serves: at the end of a chain of shells and other wrappers. Null: there are only those. */
  findServing(worker: number): number | null;
  /** Whether the process may start another program when the one that it waits for has ended. */
  isShell(pid: number): boolean;
  /** Calls back once when the process has ended; returns what ends that. Never calls back if that cannot be determined. */
  watchProcess(pid: number, ended: () => void): () => void;
  /** kill(2); it is not an error if the process is gone already. */
  signalProcess(pid: number, signal: NodeJS.Signals): void;
  /** kill(2) on the whole group; it is not an error if the group is gone already. */
  signalGroup(pid: number, signal: NodeJS.Signals): void;
  /** Kills a worker of another master, which is dead, with everything that it has started. */
  killTree(pid: number): void;
  /** Is `pid` the process `worker`, one of its descendants, or in its group? True where that cannot be found out. */
  belongsToWorker(pid: number, worker: number): boolean;
  /** A Node.js process of `worker` that was started without the preload at this path, though it should have it; null when none is found. */
  findWithoutPreload(worker: number, preload: string): number | null;
  /** The process of `worker` that calls itself `pid`, in whatever PID namespace; null when there is none. */
  findByOwnPid(pid: number, worker: number): number | null;
  /** Calls back once after `delayMs`, and after what had arrived by then was read; returns what cancels it. */
  readonly arm: (delayMs: number, callback: () => void) => () => void;
  /** Calls back once when the wall clock shows `at` (ms since 1970), or earlier if it was set; returns what cancels it. */
  readonly armWall: (at: number, callback: () => void) => () => void;
}
