/**
 * The protocol between a master and a Node.js worker: environment variables, and messages on the IPC channel. Changing a message's meaning raises
 * `protocolVersion`.
 */

/** Raised when a message changes its meaning. A message of another version is recognised by it. */
export const protocolVersion = 1;

/** The time from SIGTERM, at the drain timeout, to SIGKILL, in ms. */
export const killDelayMs = 2_000;

/** The environment variables of graceful-run's own protocol. */
export const env = {
  generation: 'GRACEFUL_RUN_GENERATION',
  worker: 'GRACEFUL_RUN_WORKER',
  listeners: 'GRACEFUL_RUN_LISTENERS',
  /** The drain timeout in ms. It is in the environment because the worker needs it even when its master is gone. */
  drainTimeout: 'GRACEFUL_RUN_DRAIN_TIMEOUT_MS',
  /** How long a worker goes on serving after its master was killed, in ms; missing if it drains at once. */
  rescue: 'GRACEFUL_RUN_RESCUE_MS',
  /** The signal that tells the program to drain, for a master that takes its listeners over; missing if it is Node.js, or if no signal does. */
  drainSignal: 'GRACEFUL_RUN_DRAIN_SIGNAL',
  /** The master's pid, with which a process that does not read the channel, because it does not listen, notices that the master is gone. */
  master: 'GRACEFUL_RUN_MASTER_PID',
  /** The name of the lock, which cannot be guessed. The process of a worker that holds it reads the channel. */
  channelLock: 'GRACEFUL_RUN_CHANNEL_LOCK',
  /** The mark of a worker and of everything that it starts, as long as they keep it in their environment: `PROGRAM.NUMBER`, another one for each worker. */
  tree: 'GRACEFUL_RUN_TREE',
  /** The beginning of the path of the files in which V8's code of the worker's boot is kept; missing if there is no private directory. */
  codeCache: 'GRACEFUL_RUN_CODE_CACHE',
  /** The descriptor to which a worker writes a newline once it is ready; missing if that is not expected. */
  readyFd: 'GRACEFUL_RUN_READY_FD',
  /** The number of requests after which a worker is replaced; missing if there is no such limit. */
  maxRequests: 'GRACEFUL_RUN_MAX_REQUESTS',
  /** A `HealthOrder`, as JSON; missing if a worker is ready as soon as it listens. */
  health: 'GRACEFUL_RUN_HEALTH',
  /** Set for a program without an address if the master checks whether its event loop turns. */
  heartbeat: 'GRACEFUL_RUN_HEARTBEAT',
} as const;

/** The health check that a worker passes before it says ready. */
export interface HealthOrder {
  /** The path to request: `/healthz`. */
  readonly path: string;
  /** The number of further requests after the first one that succeeds. */
  readonly warmup: number;
  /** How long the master waits for `ready`, from the start of the process. */
  readonly readyTimeoutMs: number;
}

/** One listener as announced to a worker. */
export type AnnouncedListener = AnnouncedTcpListener | AnnouncedUnixListener | AnnouncedUdpListener;

interface AnnouncedSocket {
  /** The listener's name, for logs and for the listener of the same name in the next generation. */
  readonly name: string;
  /** The file descriptor at which the worker inherits it. */
  readonly fd: number;
  /** Length of the accept queue, for listen(2). 0 for UDP, which has none. */
  readonly backlog: number;
  /** The inode of the socket. A process compares it to check whether its descriptor `fd` is the listener. */
  readonly inode?: number;
  /**
   * The name of the declared listener of which this is one of several sockets, for example one for each address of a host name. Missing if the
   * listener has one socket.
   */
  readonly standsFor?: string;
}

export interface AnnouncedTcpListener extends AnnouncedSocket {
  readonly type: 'tcp';
  /** The numeric address that is bound: `::`, `127.0.0.1` … */
  readonly host: string;
  readonly port: number;
  /** The host name that has this address, as the operator wrote it. Missing if the listener was declared with a numeric address, or with none. */
  readonly hostName?: string;
  /** True if the master was started with the socket. Missing if the master has bound it. */
  readonly isInherited?: boolean;
  /** True if the operator has named no address and no worker serves yet: the master binds the address that the program asks for. */
  readonly isUndecided?: boolean;
}

export interface AnnouncedUnixListener extends AnnouncedSocket {
  readonly type: 'unix';
  /** An absolute path; an abstract name (unix(7)) begins with `@`. */
  readonly path: string;
}

export interface AnnouncedUdpListener extends AnnouncedSocket {
  readonly type: 'udp';
  /** The numeric address that is bound. Its family is that of the socket. */
  readonly host: string;
  readonly port: number;
}

/** The code of the error with which a listen fails in a process that was told of the listener and has not inherited it. */
export const notInherited = 'ERR_LISTENER_NOT_INHERITED';

/** The reason in the message of that error if no wrapper is to blame. */
export const cannotInherit = 'this runtime cannot serve from an inherited listener';

/** Returns the name that the listener has in the plan, also for one of several sockets of it. */
export function declaredName({
  name,
  standsFor,
}: {
  readonly name: string;
  readonly standsFor?: string | null;
}): string {
  return standsFor ?? name;
}

/** The code that a worker writes if one of its threads, or a process of its own cluster, binds a port by itself that the master holds. */
export const heldByMaster = 'ERR_PORT_HELD_BY_MASTER';

/** An address that a server asks for on the port of a declared listener: numeric, or a name. */
export interface WantedAddress {
  readonly host: string;
  readonly isIPv6Only: boolean;
}

/**
 * Why a worker drains. `reload`: a newer generation serves. `rollback`: its generation failed after it was admitted. `stop`: the program stops.
 * `scaleDown`: fewer workers are wanted. `replacement`: another worker has taken its slot. `masterGone`: its master was killed. `signal`: it got a
 * signal that the master did not send.
 */
export type DrainReason =
  'reload' | 'rollback' | 'stop' | 'scaleDown' | 'replacement' | 'masterGone' | 'signal';

/** The requests and connections that are open in a worker. A request over HTTP/2 counts only as its connection. */
export interface OpenCounts {
  /** HTTP/1 requests whose response is not complete. */
  readonly requests: number;
  readonly connections: number;
  /** True if the rest of the drain is the application's own clean-up: its `last` drain hooks, and its signal handlers. */
  readonly isCleaningUp: boolean;
}

/** The load of a Node.js worker. */
export interface WorkerLoad {
  /** The number of requests that the worker has answered in its life. */
  readonly served: number;
  /** The number of responses with a status of 500 to 599, counted from 50 ms after the worker's admission. */
  readonly serverErrors: number;
  /** The load of the event loop since the last question. */
  readonly eventLoop: {
    /** The share of the time in which the event loop was busy, 0 to 1. */
    readonly utilization: number;
    /** How late timers were, in ms. Null at the first question: it is measured only while there are questions. */
    readonly delayMeanMs: number | null;
    readonly delayP99Ms: number | null;
    readonly delayMaxMs: number | null;
  };
}

/** A message of a Node.js worker to its master. `pid` is the process that sends the message: under `npm start` not the one that was started. */
export type WorkerMessage =
  /** The worker can serve. It does not accept before it is admitted. */
  | { readonly type: 'ready'; readonly pid: number }
  /** This process listens as well, and does not read: another process of the worker reads the channel. */
  | { readonly type: 'listensToo'; readonly pid: number }
  /** A request for the worker's health path failed; `reason` says why. */
  | { readonly type: 'notReadyYet'; readonly pid: number; readonly reason: string }
  /** A server listens on an address for which no listener is declared: it binds by itself. */
  | { readonly type: 'undeclaredListen'; readonly pid: number; readonly address: string }
  /** A server asked for one local address and got the listener, which is open to every address. */
  | { readonly type: 'wideListen'; readonly pid: number; readonly address: string }
  /** A server closed the inherited listener and listens again: the worker needs another copy. */
  | {
      readonly type: 'listenerWanted';
      readonly pid: number;
      readonly name: string;
      /** The number of this request for the listener, counted by the worker. */
      readonly request: number;
    }
  /** A server asks for this address only; `name` is the undecided listener. */
  | ({ readonly type: 'addressWanted'; readonly pid: number; readonly name: string } & WantedAddress)
  /** The worker's servers listen on addresses of their own, and all connections that had queued on this undecided listener were accepted. */
  | { readonly type: 'listenerEmptied'; readonly pid: number; readonly name: string }
  /** A server asked for every address, and gets the address that the first generation asked for. */
  | { readonly type: 'narrowListen'; readonly pid: number; readonly address: string }
  | { readonly type: 'reloadWanted'; readonly pid: number }
  /** The answer to `admit`: the worker's servers accept connections on every declared listener. */
  | { readonly type: 'admitted'; readonly pid: number }
  /** The answer to `confirmPause`: the worker no longer accepts connections, and can be told to `resume`. */
  | { readonly type: 'paused'; readonly pid: number }
  /** The answer to `confirmPause` if the time of a `pause` was over before: the worker still accepts, and can be told to pause again. */
  | { readonly type: 'pauseLapsed'; readonly pid: number }
  /** The answer to `confirmPause` if the worker could not stop accepting in a way that can be undone: it still accepts. */
  | { readonly type: 'notPaused'; readonly pid: number; readonly problem: string }
  /** The answer to `admit` if the worker cannot listen on a listener: `problem` says why. */
  | { readonly type: 'notAdmitted'; readonly pid: number; readonly problem: string }
  /** The worker has served for a moment, and takes connections from draining workers from now on. */
  | { readonly type: 'adopts'; readonly pid: number }
  /** The worker drains, and from now on every new connection goes to other workers. */
  | { readonly type: 'acceptsNoMore'; readonly pid: number }
  /** The worker drains because of a signal that its master has not sent. The master answers with `drain`. */
  | { readonly type: 'drains'; readonly pid: number }
  /** The answer to `ping`. */
  | { readonly type: 'alive'; readonly pid: number }
  /** The process has begun to exit with this code. */
  | { readonly type: 'exits'; readonly pid: number; readonly code: number }
  /** The worker has served as many requests as `maxRequests` allows. Sent once. */
  | { readonly type: 'servedEnough'; readonly pid: number; readonly served: number }
  /** The application's own clean-up was not finished in time: `what` was cut, in the words of the log. */
  | { readonly type: 'cleanUpCut'; readonly pid: number; readonly what: string }
  /** The answer to `checkHealth`. `problem` is null if the worker is healthy, or has no health path. */
  | { readonly type: 'health'; readonly pid: number; readonly problem: string | null }
  /** The answer to `report`. Older versions send no `load`. */
  | ({ readonly type: 'open'; readonly pid: number; readonly load?: WorkerLoad | undefined } & OpenCounts)
  /**
   * The drain is over. `served`: requests served in the worker's life; `migrated`: connections that have moved to other workers; `cut`: those that
   * had to be cut. An older version does not report how many connections ended by themselves since the drain began, nor how many responses in its
   * life had a status of 500 to 599.
   */
  | {
      readonly type: 'drained';
      readonly pid: number;
      readonly served: number;
      readonly migrated: number;
      readonly cut: number;
      readonly drained?: number | undefined;
      readonly serverErrors?: number | undefined;
    };

/** A message of a master to a Node.js worker. */
export type MasterMessage =
  /** The worker's generation is ready: begin to accept, and answer `admitted`. */
  | { readonly type: 'admit' }
  /** Begin to drain. Sent just before the drain signal, so that the worker knows the reason. `migrates`: destinations will be announced. */
  | {
      readonly type: 'drain';
      readonly reason: DrainReason;
      readonly timeoutMs: number;
      readonly migrates: boolean;
      /** True if there is a listener on which no other worker will accept: accept the connections in its queue before accepting ends. */
      readonly emptiesQueues: boolean;
    }
  /**
   * One end of a socket pair over which connections migrate: `destination` goes to the source, a draining worker, and `source` to the destination.
   * `more`: how many further destinations of the same source are about to be announced.
   */
  | { readonly type: 'destination'; readonly more: number }
  | { readonly type: 'source' }
  /**
   * Keep the connections that are open, and stop accepting on the listener of this name. The handle that comes with the message is another copy of
   * that listener, and replaces the one that is accepted on. For a UDP listener there is no handle. `forMs`: accept again after that time, unless
   * `confirmPause` has arrived by then; null: only at `resume`.
   */
  | { readonly type: 'pause'; readonly name: string; readonly forMs: number | null }
  /**
   * Make the pause permanent, and report whether it worked. Sent after the last `pause`, without a handle, so that it arrives even if none of the
   * handles did.
   */
  | { readonly type: 'confirmPause' }
  /** Accept again. */
  | { readonly type: 'resume' }
  /**
   * The handle that comes with the message is one end of a pair of connected sockets. The process that listens keeps it open for as long as it lives,
   * so that the master notices its end although the command that was started, a shell or npm, keeps running.
   */
  | { readonly type: 'lifeline' }
  /** Request the health path again, and answer `health`. */
  | { readonly type: 'checkHealth' }
  /** Report what is open and the load, with `open`. */
  | { readonly type: 'report' }
  /** Answer `alive`, which shows that the event loop turns. */
  | { readonly type: 'ping' }
  /**
   * Start the thread that reports where the main thread is when that is hung. The handle that comes with the message is one end of a pair of
   * connected sockets, over which it does so.
   */
  | { readonly type: 'hangLocator' }
  /** A copy of the listener, as the handle that comes with the message. */
  | { readonly type: 'listener'; readonly name: string }
  /** Follows `listener`, which never arrives if no descriptor is left for its handle. All requests up to this one are answered. */
  | { readonly type: 'listenerSent'; readonly name: string; readonly request: number }
  /** Answers `addressWanted`: the address is bound. Its socket is the handle that comes with the message. */
  | ({ readonly type: 'address'; readonly name: string; readonly bound: BoundAddress } & WantedAddress)
  /** Answers `addressWanted`: the address is not bound. `isShared`: the undecided listener serves every address, this one included. */
  | ({ readonly type: 'addressRefused'; readonly name: string; readonly isShared: boolean } & WantedAddress);

/** A socket that the master has bound for a worker's server. */
export type BoundAddress = Pick<AnnouncedTcpListener, 'name' | 'type' | 'host' | 'port' | 'backlog'>;

/** The property that distinguishes our messages from those of the application. */
export const envelopeKey = 'gracefulRun';

/** A message as it travels: `{ gracefulRun: 1, message }`. */
export interface Envelope<Message> {
  readonly [envelopeKey]: number;
  readonly message: Message;
}

export function wrap<Message>(message: Message): Envelope<Message> {
  return { [envelopeKey]: protocolVersion, message };
}

/**
 * Wraps a message of the master for the IPC channel of Node.js. A message with such a `cmd` is emitted as 'internalMessage', like those of `cluster`:
 * the application, which may listen for 'message', never sees it.
 */
export function wrapForWorker(message: MasterMessage): Envelope<MasterMessage> & { readonly cmd: string } {
  return { cmd: 'NODE_GRACEFUL_RUN', ...wrap(message) };
}

/** True for an object about which nothing else is known, for example from JSON. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Returns the message in an envelope of this version; null for anything else, such as the application's own messages. */
export function unwrap(value: unknown): unknown {
  return isRecord(value) && value[envelopeKey] === protocolVersion ? (value['message'] ?? null) : null;
}
