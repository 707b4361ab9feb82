/**
 * The plan: what a master is to run, checked and complete. Plain data, frozen, with no default left to fill in, so that two plans
 * can be compared. A config file, the command line and code are all compiled into one. Pure.
 */
import type { HooksPlan } from './options/hook-options.ts';
import type { MetricsPlan } from './options/metrics-options.ts';
import type { WebhookPlan } from './options/webhook-options.ts';
import type { WorkerKind } from '../launch/worker-kind.ts';
import type { ReplacementPlan } from './options/replacement-options.ts';
import type { GroupPlan } from './options/group-options.ts';
import type { KindPlan } from './options/kind-options.ts';
import type { ProcessPlan } from './options/launch-options.ts';
import type { SchedulePlan } from './options/schedule-options.ts';
import type { OutputPlan } from './options/output-options.ts';
import type { StopPlan } from './options/stop-options.ts';

export interface Plan {
  readonly master: MasterPlan;
  /** The programs in the order in which they were written. Their names are unique. */
  readonly programs: readonly ProgramPlan[];
}

export interface MasterPlan {
  /** The name of the control socket, or null: then it is the name of the only program. */
  readonly name: string | null;
  readonly hasControl: boolean;
  /** Whether requests of operators to start or stop a program still count after a restart of the master. */
  readonly remembers: boolean;
  /** Where /metrics is served in addition to the control socket, or null for nowhere else. */
  readonly metrics: MetricsPlan | null;
  /** The absolute path of the file that the plan was read from, or null if it comes from the command line or from code. */
  readonly file: string | null;
  /** The log level, or null: then the command line decides, or the default. */
  readonly logLevel: LogLevel | null;
  readonly logFormat: LogFormat | null;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

/** Durations in ms. Paths are absolute, with symlinks as they were written. */
export interface ProgramPlan {
  /** The name, or null: then the program is named after its port, once that is known. Null only in a plan of one program. */
  readonly name: string | null;
  readonly command: readonly string[];
  /** The listeners in the order in which workers inherit them. Their names are unique. */
  readonly listeners: readonly ListenerPlan[];
  /** Each worker has a listening socket of its own for each TCP address (SO_REUSEPORT), instead of a share of one. */
  readonly reusePort: boolean;
  readonly workers: number;
  readonly cwd: string;
  /** Variables for the program's workers, which override those that the master has inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** A file that is read again for every worker; its variables override `environment`. */
  readonly environmentFile: string | null;
  readonly process: ProcessPlan;
  readonly output: OutputPlan;
  /** The paths to watch, or null for no watching. Empty: the program's own file. */
  readonly watch: readonly string[] | null;
  readonly workerKind: WorkerKind;
  /** How long a program that gives no sign has to run until it counts as ready. */
  readonly startsMs: number;
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** How long workers serve after their master was killed, until they drain by themselves. */
  readonly rescueMs: number;
  readonly stop: StopPlan;
  /** How long the previous generation can take over again after a reload; 0: not at all. */
  readonly probationMs: number;
  /** Whether the program is started with the master. */
  readonly autostart: boolean;
  /** Names of programs that have to serve before it is started, and that are stopped after it. */
  readonly dependsOn: readonly string[];
  readonly kind: KindPlan;
  /** The group of the program, or null if it is in none. */
  readonly group: GroupPlan | null;
  /** When the program runs by the clock, or null: then it runs when it is started. */
  readonly schedule: SchedulePlan | null;
  readonly restart: RestartPlan;
  readonly rollout: RolloutPlan;
  /** Commands that are run when something happens to the program, or null if there are none. */
  readonly hooks: HooksPlan | null;
  /** Where events are sent to, or null for nowhere. */
  readonly webhook: WebhookPlan | null;
  readonly replacement: ReplacementPlan;
}

/** When workers and programs that have ended by themselves are started again. */
export interface RestartPlan {
  readonly autorestart: 'always' | 'unexpected' | 'never';
  readonly exitCodes: readonly number[];
  readonly startRetries: number;
  readonly backoff: 'exponential' | 'linear';
  readonly backoffMaxMs: number;
  /** This many deaths of its workers within this time are too many. Null: there is no limit. */
  readonly crashLoop: { readonly deaths: number; readonly windowMs: number } | null;
  /** What the master does when the program has failed; null: the master of a single program ends with code 1, any other keeps running. */
  readonly onFatal: 'stay' | 'exit' | null;
}

/** How a new generation takes over. */
export interface RolloutPlan {
  readonly steps: RolloutSteps;
  /** What makes the old generation take over again in addition to a crash, or null for nothing. */
  readonly rollbackOn: ErrorRateBound | null;
}

/** How many new workers are started at a time. */
export interface RolloutSteps {
  /** How many more workers than `workers` may run during a reload, or null for any number. */
  readonly maxSurge: WorkerAmount | null;
  /** How many fewer workers than `workers` may serve during a reload. */
  readonly maxUnavailable: WorkerAmount;
  /** How long the workers of a step serve before the next step begins. */
  readonly pauseMs: number;
  /** How many workers are started first and have to serve before the others are started; 0: none. */
  readonly canary: number;
  /** How long these first workers serve before the others are started. */
  readonly canaryMs: number;
}

/** A number of workers, or a share (0 to 1) of all. */
export type WorkerAmount = { readonly count: number } | { readonly share: number };

/** More failed responses than this are too many. */
export interface ErrorRateBound {
  /** The share of the requests, 0 to 1. */
  readonly share: number;
  /** The time in which they are counted. */
  readonly overMs: number;
  /** With fewer requests than this, no verdict is possible. */
  readonly atLeast: number;
}

/** The listeners that a master binds by itself. */
export type BindablePlan = TcpListenerPlan | UnixListenerPlan | UdpListenerPlan;
export type ListenerPlan = BindablePlan | DescriptorListenerPlan;

interface SocketPlan {
  readonly name: string;
  /** Length of the accept queue; the kernel caps it at net.core.somaxconn. 0 for UDP, which has none. */
  readonly backlog: number;
}

/** Options of TCP sockets. Null or false leaves an option as the kernel sets it. */
export interface TcpOptions {
  /** IPV6_V6ONLY: `::` takes no IPv4 connections. */
  readonly ipv6Only: boolean;
  /** IP_FREEBIND: the machine may not have the address yet. */
  readonly freebind: boolean;
  /** TCP_FASTOPEN: how many connections may carry a request before the handshake is complete. */
  readonly fastOpen: number | null;
  /** TCP_DEFER_ACCEPT: how long a connection may wait for its first bytes before it is accepted. */
  readonly deferAcceptSeconds: number | null;
  /** SO_KEEPALIVE of accepted connections, which inherit it from their listener. */
  readonly keepAlive: KeepAlive | null;
}

/** Keep-alive of TCP connections. A value of null is what tcp_keepalive_* of the machine say (tcp(7)). */
export interface KeepAlive {
  readonly idleSeconds: number | null;
  readonly intervalSeconds: number | null;
  readonly count: number | null;
}

export interface TcpListenerPlan extends SocketPlan {
  readonly type: 'tcp';
  /** The options of the socket; missing if none is set. */
  readonly options?: TcpOptions;
  /** A numeric address or a host name, or null: then it is the address that the program of the first generation asks for. */
  readonly host: string | null;
  /** The port; 0: any free one. */
  readonly port: number;
}

export interface UnixListenerPlan extends SocketPlan {
  readonly type: 'unix';
  /** The absolute path; an abstract name (unix(7)) begins with `@`. */
  readonly path: string;
  /** Permission bits of the socket's file, such as 0o660, or null for those that the umask leaves. */
  readonly mode: number | null;
  /** Owner of the socket's file, as chown(1) takes it: `user`, `user:group` or `:group`. Null: the master's user. */
  readonly owner: string | null;
}

export interface UdpListenerPlan extends SocketPlan {
  readonly type: 'udp';
  /** A numeric address or a host name. The socket has the address's family. */
  readonly host: string;
  /** The port; 0: any free one. */
  readonly port: number;
}

/** A socket that the master has inherited. Its kind and its address are known once it is taken. */
export interface DescriptorListenerPlan extends SocketPlan {
  readonly type: 'fd';
  /** The options of the socket; missing if none is set. */
  readonly options?: TcpOptions;
  readonly fd: number;
}
