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
  /** In the order in which they were written. Their names are unique. */
  readonly programs: readonly ProgramPlan[];
}

export interface MasterPlan {
  /** Of the control socket; null: the name of the only program. */
  readonly name: string | null;
  readonly hasControl: boolean;
  /** A program that an operator has stopped, or started, is kept so when the master is started again. */
  readonly remembers: boolean;
  /** Where /metrics is served beside the control socket; null: nowhere. */
  readonly metrics: MetricsPlan | null;
  /** Where it was read from, an absolute path; null: from the command line or from code. */
  readonly file: string | null;
  /** Null: the command line decides, or the default. */
  readonly logLevel: LogLevel | null;
  readonly logFormat: LogFormat | null;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

/** Durations in ms. Paths are absolute, with symlinks as they were written. */
export interface ProgramPlan {
  /** Null: named after its port, once that is known. Only in a plan of one program. */
  readonly name: string | null;
  readonly command: readonly string[];
  /** In the order in which workers inherit them. Their names are unique. */
  readonly listeners: readonly ListenerPlan[];
  /** Each worker has a listening socket of its own for each TCP address (SO_REUSEPORT), instead of a share of one. */
  readonly reusePort: boolean;
  readonly workers: number;
  readonly cwd: string;
  /** Variables for its workers, over those that the master has inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** A file that is read again for every worker; its variables override `environment`. */
  readonly environmentFile: string | null;
  readonly process: ProcessPlan;
  readonly output: OutputPlan;
  /** Null: no watching. Empty: the program's own file. */
  readonly watch: readonly string[] | null;
  readonly workerKind: WorkerKind;
  /** How long a program that gives no sign has to run until it counts as ready. */
  readonly startsMs: number;
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly stop: StopPlan;
  /** 0: none. */
  readonly probationMs: number;
  /** It is started with the master. */
  readonly autostart: boolean;
  /** Names of programs that have to serve before it is started, and that are stopped after it. */
  readonly dependsOn: readonly string[];
  readonly kind: KindPlan;
  /** Null: it is in none. */
  readonly group: GroupPlan | null;
  /** When it runs by the clock; null: it runs when it is started. */
  readonly schedule: SchedulePlan | null;
  readonly restart: RestartPlan;
  readonly rollout: RolloutPlan;
  /** Commands that are run when something happens; null: there is none. */
  readonly hooks: HooksPlan | null;
  /** Where events are sent to; null: nowhere. */
  readonly webhook: WebhookPlan | null;
  readonly replacement: ReplacementPlan;
}

/** What is started again when it has ended by itself. */
export interface RestartPlan {
  readonly autorestart: 'always' | 'unexpected' | 'never';
  readonly exitCodes: readonly number[];
  readonly startRetries: number;
  readonly backoff: 'exponential' | 'linear';
  readonly backoffMaxMs: number;
  /** This many deaths of its workers within this time are too many; null: there is no limit. */
  readonly crashLoop: { readonly deaths: number; readonly windowMs: number } | null;
  /** What the master does when the program has failed; null: the master of a single program ends with code 1, any other keeps running. */
  readonly onFatal: 'stay' | 'exit' | null;
}

/** How a new generation takes over. */
export interface RolloutPlan {
  readonly steps: RolloutSteps;
  /** What makes the old generation take over again, beside a crash; null: nothing. */
  readonly rollbackOn: ErrorRateBound | null;
}

/** How many new workers are started at a time. */
export interface RolloutSteps {
  /** How many more workers than `workers` may run during a reload; null: any number. */
  readonly maxSurge: WorkerAmount | null;
  /** How many fewer may serve. */
  readonly maxUnavailable: WorkerAmount;
  /** How long the workers of a step serve before the next step begins. */
  readonly pauseMs: number;
  /** How many serve first; 0: none. */
  readonly canary: number;
  /** How long these serve before the others are started. */
  readonly canaryMs: number;
}

/** A number of workers, or a share (0 to 1) of all. */
export type WorkerAmount = { readonly count: number } | { readonly share: number };

/** More failed responses than this are too many. */
export interface ErrorRateBound {
  /** Of the requests, 0 to 1. */
  readonly share: number;
  /** The time in which they are counted. */
  readonly overMs: number;
  /** Fewer requests than this say nothing. */
  readonly atLeast: number;
}

/** Which of them a master binds by itself. */
export type BindablePlan = TcpListenerPlan | UnixListenerPlan | UdpListenerPlan;
export type ListenerPlan = BindablePlan | DescriptorListenerPlan;

interface SocketPlan {
  readonly name: string;
  /** Length of the accept queue; the kernel caps it at net.core.somaxconn. 0 for UDP, which has none. */
  readonly backlog: number;
}

/** Options of TCP sockets. Null or false: what the kernel does by itself. */
export interface TcpOptions {
  /** IPV6_V6ONLY: `::` takes no IPv4 connections. */
  readonly ipv6Only: boolean;
  /** IP_FREEBIND: the machine may not have the address yet. */
  readonly freebind: boolean;
  /** TCP_FASTOPEN: how many connections may carry a request before the handshake is complete. */
  readonly fastOpen: number | null;
  /** TCP_DEFER_ACCEPT: how long a connection may wait for its first bytes before it is accepted. */
  readonly deferAcceptSeconds: number | null;
  /** SO_KEEPALIVE of accepted connections, which have it from their listener. */
  readonly keepAlive: KeepAlive | null;
}

/** Null: what tcp_keepalive_* of the machine say (tcp(7)). */
export interface KeepAlive {
  readonly idleSeconds: number | null;
  readonly intervalSeconds: number | null;
  readonly count: number | null;
}

export interface TcpListenerPlan extends SocketPlan {
  readonly type: 'tcp';
  /** Missing: none is asked for. */
  readonly options?: TcpOptions;
  /** A numeric address or a host name; null: what the program of the first generation asks for. */
  readonly host: string | null;
  /** 0: any free one. */
  readonly port: number;
}

export interface UnixListenerPlan extends SocketPlan {
  readonly type: 'unix';
  /** Absolute; an abstract name (unix(7)) begins with `@`. */
  readonly path: string;
  /** Permission bits of its file, such as 0o660; null: what the umask leaves. */
  readonly mode: number | null;
  /** Owner of its file, as chown(1) takes it: `user`, `user:group` or `:group`; null: the master's. */
  readonly owner: string | null;
}

export interface UdpListenerPlan extends SocketPlan {
  readonly type: 'udp';
  /** A numeric address or a host name. Its family is that of the socket. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** A socket that the master has inherited. Of which kind it is, and its address, is known once it is taken. */
export interface DescriptorListenerPlan extends SocketPlan {
  readonly type: 'fd';
  /** Missing: none is asked for. */
  readonly options?: TcpOptions;
  readonly fd: number;
}
