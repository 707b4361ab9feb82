/**
 * What a master and a Node.js worker say to each other: environment variables and messages on the IPC channel. Changing a message's meaning raises `protocolVersion`.
 */

/** Raised when a message changes its meaning; a peer of another version is told apart by it. */
export const protocolVersion = 1;

/** From SIGTERM, at the drain timeout, to SIGKILL, in ms. */
export const killDelayMs = 2_000;

/** The environment variables of graceful-run's own protocol. */
export const env = {
  generation: 'GRACEFUL_RUN_GENERATION',
  worker: 'GRACEFUL_RUN_WORKER',
  listeners: 'GRACEFUL_RUN_LISTENERS',
  /** How long a drain may last, in ms: the worker needs it even when its master is gone. */
  drainTimeout: 'GRACEFUL_RUN_DRAIN_TIMEOUT_MS',
  /** The master's pid: how a process that does not read the channel, because it does not listen, notices that the master is gone. */
  master: 'GRACEFUL_RUN_MASTER_PID',
  /** A name that cannot be guessed: the process of a worker that holds it reads the channel. */
  channelLock: 'GRACEFUL_RUN_CHANNEL_LOCK',
  /** What a worker and everything that it starts have in their environment, as long as they keep it: `PROGRAM.NUMBER`, another one for each worker. */
  tree: 'GRACEFUL_RUN_TREE',
  /** Where V8's code of the worker's boot is kept, as the beginning of a file's path; missing if there is no private directory. */
  codeCache: 'GRACEFUL_RUN_CODE_CACHE',
  /** The descriptor to which a worker writes a newline once it is ready; missing where it is not asked to. */
  readyFd: 'GRACEFUL_RUN_READY_FD',
  /** After how many requests a worker is to be replaced; missing if there is no such limit. */
  maxRequests: 'GRACEFUL_RUN_MAX_REQUESTS',
  /** JSON, a `HealthOrder`; missing where a worker is ready as soon as it listens. */
  health: 'GRACEFUL_RUN_HEALTH',
  /** Of a program without an address: its event loop is asked whether it turns. Missing where it is not. */
  heartbeat: 'GRACEFUL_RUN_HEARTBEAT',
} as const;

/** What a worker has to find out about itself before it says ready. */
export interface HealthOrder {
  /** Of the request: `/healthz`. */
  readonly path: string;
  /** Requests after the first one that succeeded. */
  readonly warmup: number;
  /** How long the master waits, from the start of the process. */
  readonly readyTimeoutMs: number;
}

/** One listener as announced to a worker. */
export type AnnouncedListener = AnnouncedTcpListener | AnnouncedUnixListener | AnnouncedUdpListener;

interface AnnouncedSocket {
  /** Its name, for logs and for the listener's namesake in the next generation. */
  readonly name: string;
  /** The file descriptor at which the worker inherits it. */
  readonly fd: number;
  /** Length of the accept queue, for listen(2). 0 for UDP, which has none. */
  readonly backlog: number;
  /** The inode of the socket, by which a process finds out whether what it has at `fd` is the listener. */
  readonly inode?: number;
  /** One of several sockets of a declared listener: the name of that one. They are the addresses of a host name, or those that the first generation asked for. */
  readonly standsFor?: string;
}

export interface AnnouncedTcpListener extends AnnouncedSocket {
  readonly type: 'tcp';
  /** The numeric address that is bound: `::`, `127.0.0.1` … */
  readonly host: string;
  readonly port: number;
  /** The host name whose address it is, as the operator wrote it. Missing: it was bound by a numeric address, or by none. */
  readonly hostName?: string;
  /** The master was started with the socket. Missing: the master has bound it. */
  readonly isInherited?: boolean;
  /** The operator has named no address and no worker serves yet: the master binds what the program asks for. */
  readonly isUndecided?: boolean;
}

export interface AnnouncedUnixListener extends AnnouncedSocket {
  readonly type: 'unix';
  /** Absolute; an abstract name (unix(7)) begins with `@`. */
  readonly path: string;
}

export interface AnnouncedUdpListener extends AnnouncedSocket {
  readonly type: 'udp';
  /** The numeric address that is bound: its family is that of the socket. */
  readonly host: string;
  readonly port: number;
}

/** The code of the error with which a listen fails in a process that was told of the listener and did not inherit it. */
export const notInherited = 'ERR_LISTENER_NOT_INHERITED';

/** In its message, when no wrapper is to blame. */
export const cannotInherit = 'this runtime cannot serve from an inherited listener';

/** What a worker writes when a thread of it, or a process of its own cluster, binds a port by itself that the master holds. */
/** The name in the plan of the listener that this one is, or of which it is one of several sockets. */
export function declaredName({
  name,
  standsFor,
}: {
  readonly name: string;
  readonly standsFor?: string | null;
}): string {
  return standsFor ?? name;
}

export const heldByMaster = 'ERR_PORT_HELD_BY_MASTER';

/** A numeric address on the port of a declared listener, or a name. */
export interface WantedAddress {
  readonly host: string;
  readonly isIPv6Only: boolean;
}

/**
 * Why a worker drains. `reload`: a newer generation serves. `rollback`: its generation failed after it was admitted. `stop`: the program stops.
 * `scaleDown`: fewer workers are wanted. `replacement`: another worker has taken its slot. `masterGone`: its master was killed. `signal`: it got a signal that the master did not send.
 */
export type DrainReason =
  'reload' | 'rollback' | 'stop' | 'scaleDown' | 'replacement' | 'masterGone' | 'signal';

/** What a worker still has open. A request of HTTP/2 counts as its connection alone. */
export interface OpenCounts {
  /** HTTP/1 requests whose response is not complete. */
  readonly requests: number;
  readonly connections: number;
  /** The rest of the drain is the application's own clean-up: its drain hooks for the end, and its signal handlers. */
  readonly isCleaningUp: boolean;
}

/** What a Node.js worker does. */
export interface WorkerLoad {
  /** Requests that it has answered in its life. */
  readonly served: number;
  /** Those of them that it has answered with a status of 500 to 599. Counted from 50 ms after its admission. */
  readonly serverErrors: number;
  /** Since the question before this one. */
  readonly eventLoop: {
    /** The share of the time in which it was busy, 0 to 1. */
    readonly utilization: number;
    /** How late timers were, in ms. Null at the first question: it is measured only while there are questions. */
    readonly delayMeanMs: number | null;
    readonly delayP99Ms: number | null;
    readonly delayMaxMs: number | null;
  };
}

/** What a Node.js worker tells its master. `pid` is the process that sends the message: under `npm start` not the one that was started. */
export type WorkerMessage =
  /** Says that it can serve. It does not accept before it is admitted. */
  | { readonly type: 'ready'; readonly pid: number }
  /** It listens as well, and does not read: another process of this worker has the channel. */
  | { readonly type: 'listensToo'; readonly pid: number }
  /** A request of its health path failed; `reason` says why. */
  | { readonly type: 'notReadyYet'; readonly pid: number; readonly reason: string }
  /** It tried to listen where no listener was declared; it binds by itself. */
  | { readonly type: 'undeclaredListen'; readonly pid: number; readonly address: string }
  /** It asked for one local address and got the listener, which is open to every address. */
  | { readonly type: 'wideListen'; readonly pid: number; readonly address: string }
  /** Its server closed the inherited listener and listens again: please send another copy. */
  | {
      readonly type: 'listenerWanted';
      readonly pid: number;
      readonly name: string;
      /** Counts the requests of this worker for the listener. */
      readonly request: number;
    }
  /** A server asks for this address alone; `name` is the undecided listener. */
  | ({ readonly type: 'addressWanted'; readonly pid: number; readonly name: string } & WantedAddress)
  /** Its servers listen on addresses of their own, and what had queued on this undecided listener was accepted. */
  | { readonly type: 'listenerEmptied'; readonly pid: number; readonly name: string }
  /** It asked for every address, and gets what the first generation asked for. */
  | { readonly type: 'narrowListen'; readonly pid: number; readonly address: string }
  | { readonly type: 'reloadWanted'; readonly pid: number }
  /** The answer to `admit`: its servers accept connections on every declared listener. */
  | { readonly type: 'admitted'; readonly pid: number }
  /** The answer to `confirmPause`: it no longer accepts connections, and can be told to `resume`. */
  | { readonly type: 'paused'; readonly pid: number }
  /** The answer to `confirmPause` when the time of a `pause` was up before: it still accepts, and can be told to pause again. */
  | { readonly type: 'pauseLapsed'; readonly pid: number }
  /** It could not stop to accept in a way that can be taken back, and accepts on. */
  | { readonly type: 'notPaused'; readonly pid: number; readonly problem: string }
  /** The answer to `admit` when a listener cannot be listened on: `problem` says why. */
  | { readonly type: 'notAdmitted'; readonly pid: number; readonly problem: string }
  /** It has served for a moment, and takes connections that other workers give away from now on. */
  | { readonly type: 'adopts'; readonly pid: number }
  /** It drains, and from now on every new connection goes to others. */
  | { readonly type: 'acceptsNoMore'; readonly pid: number }
  /** A signal that its master has not sent makes it drain. The master answers with `drain`. */
  | { readonly type: 'drains'; readonly pid: number }
  /** The answer to `ping`. */
  | { readonly type: 'alive'; readonly pid: number }
  /** It has begun to exit with this code. */
  | { readonly type: 'exits'; readonly pid: number; readonly code: number }
  /** It has served as many requests as it was told to. Once. */
  | { readonly type: 'servedEnough'; readonly pid: number; readonly served: number }
  /** Its own clean-up was not finished when the time was up: `what` was cut, in the words of the log. */
  | { readonly type: 'cleanUpCut'; readonly pid: number; readonly what: string }
  /** The answer to `checkHealth`; null: it is healthy, or has no health path. */
  | { readonly type: 'health'; readonly pid: number; readonly problem: string | null }
  /** The answer to `report`. `load` is missing in that of an older version. */
  | ({ readonly type: 'open'; readonly pid: number; readonly load?: WorkerLoad | undefined } & OpenCounts)
  /**
   * The drain is over: requests served in its life, connections that have moved to other workers, and that had to be cut. An older version does not
   * tell how many connections ended by themselves since the drain began, nor how many responses in its life had a status of 500 to 599.
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

/** What a master tells a Node.js worker. */
export type MasterMessage =
  /** Its generation is ready: begin to accept, and answer `admitted`. */
  | { readonly type: 'admit' }
  /** Sent just before the drain signal, so that the worker knows why. `migrates`: destinations will be announced. */
  | {
      readonly type: 'drain';
      readonly reason: DrainReason;
      readonly timeoutMs: number;
      readonly migrates: boolean;
      /** There is a listener on which no other worker will accept: accept the connections in its queue before it stops accepting. */
      readonly emptiesQueues: boolean;
    }
  /**
   * Each comes with one end of a socket pair, over which connections migrate: `destination` goes to the source, a draining worker, and
   * `source` to the destination. `more`: how many further destinations of the same source are about to be announced.
   */
  | { readonly type: 'destination'; readonly more: number }
  | { readonly type: 'source' }
  /**
   * Keep the connections that are open, and stop accepting on the listener of this name. The handle beside it is another copy of that
   * listener, which takes the place of the one that is accepted on. A UDP listener comes without one. `forMs`: accept again after that time,
   * unless `confirmPause` has come by then; null: only at `resume`.
   */
  | { readonly type: 'pause'; readonly name: string; readonly forMs: number | null }
  /** After the last `pause`, without a handle, so that it arrives even when none of the handles did: has it worked? From now on it is for good. */
  | { readonly type: 'confirmPause' }
  /** Accept again. */
  | { readonly type: 'resume' }
  /**
   * The handle beside it is one end of a pair of connected sockets: the process that listens keeps it open for as long as it lives, so that the
   * master notices its end although the command that was started, a shell or npm, keeps running.
   */
  | { readonly type: 'lifeline' }
  /** Ask your health path again. */
  | { readonly type: 'checkHealth' }
  /** What is still open, and what does it do? */
  | { readonly type: 'report' }
  /** Does its event loop turn? */
  | { readonly type: 'ping' }
  /** The handle beside it is one end of a pair of connected sockets, at which a thread tells what the main thread does when that is hung. */
  | { readonly type: 'hangLocator' }
  /** A copy of the listener, sent as a handle beside the message. */
  | { readonly type: 'listener'; readonly name: string }
  /** Follows `listener`, which never arrives where no descriptor is left for its handle. Up to this request all are answered. */
  | { readonly type: 'listenerSent'; readonly name: string; readonly request: number }
  /** Answers `addressWanted`: what was bound, as a handle beside the message. */
  | ({ readonly type: 'address'; readonly name: string; readonly bound: BoundAddress } & WantedAddress)
  /** It is not bound. `isShared`: the undecided listener serves every address, this one included. */
  | ({ readonly type: 'addressRefused'; readonly name: string; readonly isShared: boolean } & WantedAddress);

/** A socket that the master has bound for a worker's server. */
export type BoundAddress = Pick<AnnouncedTcpListener, 'name' | 'type' | 'host' | 'port' | 'backlog'>;

/** The property that marks a message as ours among those of the application. */
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
 * A message of the master on the IPC channel of Node.js. What has such a `cmd` is emitted as 'internalMessage', as those of `cluster` are:
 * the application, which may listen for 'message', never sees it.
 */
export function wrapForWorker(message: MasterMessage): Envelope<MasterMessage> & { readonly cmd: string } {
  return { cmd: 'NODE_GRACEFUL_RUN', ...wrap(message) };
}

/** True for an object, of which nothing else is known: what JSON may have brought. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** What is inside an envelope of this version; null for anything else, such as the application's own messages. */
export function unwrap(value: unknown): unknown {
  return isRecord(value) && value[envelopeKey] === protocolVersion ? (value['message'] ?? null) : null;
}
