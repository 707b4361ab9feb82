/** The options of a master, in code and on the command line. They are compiled into a plan: checked, with defaults filled in, frozen. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { parseDuration } from '../../shared/durations.ts';
import { parseDrainSignal, type DrainSignalOption } from '../launch/program-drain-signal.ts';
import { workerKind } from '../launch/worker-kind.ts';
import { checkPlan } from './check-plan.ts';
import { deepFreeze } from './deep-freeze.ts';
import { defaults, defaultStartsecs } from './options/defaults.ts';
import { compileProcess, type ProcessOptions } from './options/launch-options.ts';
import { compileOutput, type OutputOptions } from './options/output-options.ts';
import { parseListenAddress } from './options/listen-address.ts';
import {
  addressTwice,
  badOption,
  commandMissing,
  nameMissing,
  notApplicable,
  type OptionSpelling,
  planFaulty,
  portMissing,
  type Spelling,
  type WrittenPlan,
} from './options/option-errors.ts';
import { type HookOptions, hooksPlan } from './options/hook-options.ts';
import { type MetricsOptions, type MetricsPlan, metricsPlan } from './options/metrics-options.ts';
import { nameAfter } from './plan-names.ts';
import { compileGroups } from './compile-groups.ts';
import { type GroupOptions, withGroups } from './options/group-options.ts';
import { groupsShape } from './options/group-values.ts';
import { compileKind, type KindOptions } from './options/kind-options.ts';
import type { ListenerPlan, MasterPlan, Plan, ProgramPlan, TcpListenerPlan } from './plan.ts';
import { parseReady } from './options/readiness-option.ts';
import { replacementPlan, type ReplacementOptions } from './options/replacement-options.ts';
import { restartPlan, type RestartOptions } from './options/restart-options.ts';
import { type ScheduleOptions, schedulePlan } from './options/schedule-options.ts';
import { type RolloutOptions, rolloutPlan } from './options/rollout-options.ts';
import { compileStop, type StopOptions } from './options/stop-options.ts';
import { tcpOptions, type WrittenTcpOptions } from './options/tcp-options.ts';
import { inapplicableOptions } from './options/inapplicable-options.ts';
import { webhookPlan } from './options/webhook-options.ts';
import { masterValues, programName, programValues } from './options/values.ts';

export type { MetricsOptions } from './options/metrics-options.ts';
export type { OptionSpelling } from './options/option-errors.ts';

/** When a worker is ready, as `ready` of ProgramOptions explains. */
export type ReadyWhen =
  | 'auto'
  | 'listen'
  | 'message'
  | 'notify'
  | `fd:${number}`
  | `exec:${string}`
  | `delay:${string}`
  | `tcp:${number}`
  | `http:/${string}`;

/** The options of one program. Durations are written `30s`, `500ms`, `2m`. */
export interface ProgramOptions
  extends
    ProcessOptions,
    OutputOptions,
    RestartOptions,
    KindOptions,
    StopOptions,
    RolloutOptions,
    HookOptions,
    ScheduleOptions,
    ReplacementOptions {
  /** The program and its arguments: `['node', 'app.js']`. */
  readonly command: readonly string[];
  /** The TCP port to hold, 0 to 65535; 0: any free port. Needed unless `listen` is given. */
  readonly port?: number;
  /** The address to bind: numeric, or a name, which stands for each of its addresses. It also applies to entries of `listen` without an address. Default: every address until the first generation asks for a particular one, then that one. */
  readonly host?: string;
  /**
   * Several addresses to hold instead of one: `3000` (every address), `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000` (every address of the
   * name, each with a socket of its own), `unix:/run/app.sock`, the abstract `unix:@app` (unix(7)), and `fd:3`, a bound socket at
   * descriptor 3 of this process. With `admin=` before it a listener is called `admin`, by which a worker can find it. Not
   * beside `port`.
   */
  readonly listen?: readonly string[];
  /** Permission bits of the files of UNIX sockets, in octal digits: `0660`. Default: what the umask leaves. */
  readonly socketMode?: string;
  /** Owner of these files, as chown(1) takes it: `www-data`, `www-data:web`, `:web`. Default: the user of the master. */
  readonly socketOwner?: string;
  /** Length of the accept queue; the kernel caps it at net.core.somaxconn. Default 4096. */
  readonly backlog?: number;
  /**
   * Give each worker a listening socket of its own for each address (SO_REUSEPORT), instead of a share of one. The kernel spreads new
   * connections over them. Every address has to be a TCP address with a host. Linux only. Default false.
   */
  readonly reusePort?: boolean;
  /** IPV6_V6ONLY: an IPv6 listener takes no IPv4 connections, so `0.0.0.0` may be listened on beside `[::]`. Default false. */
  readonly ipv6Only?: boolean;
  /** TCP Fast Open: how many clients at once may send a request with their first packet, 1 to 65535. Also needs net.ipv4.tcp_fastopen of 2 or 3. Default: off. */
  readonly tcpFastOpen?: number;
  /** TCP_DEFER_ACCEPT: a connection is accepted once its first bytes are there, or after about this time: whole seconds, 1s to 9h. Default: at once. */
  readonly deferAccept?: string;
  /**
   * TCP keep-alive of accepted connections: `on`, or an idle time, an interval and a number of probes, such as `60s`, `60s:10s` or `60s:10s:5`; what is
   * left out is as net.ipv4.tcp_keepalive_* say. A program may set its own. Default: off.
   */
  readonly keepalive?: string;
  /** IP_FREEBIND: bind an address that the machine does not have yet. Default false. */
  readonly freebind?: boolean;
  /** Workers that share the listener: 1 to 1024, or `auto` for one per core. Default 1. */
  readonly workers?: number | 'auto';
  /** Working directory of the workers, resolved again for each of them. Default: the master's. */
  readonly cwd?: string;
  /** Variables for the workers, which override those that the master has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** File with `NAME=value` lines for the workers' environment, re-read for each of them. Default: none. */
  readonly environmentFile?: string;
  /** Reload when the content of these paths changes; `true`: the program's own file. Default: no watching. */
  readonly watch?: boolean | readonly string[];
  /**
   * When a worker is ready. Node.js workers have to listen as well, whatever this is.
   * - `auto`, the default: Node.js once it listens; any other program once it sends READY=1 (sd_notify), or, if it says
   *   nothing, once it has been running for `startsecs`.
   * - `listen`: once it listens. Of Node.js alone this can be known.
   * - `message`: once it has called `process.send('ready')`.
   * - `notify`: once it has sent READY=1 to NOTIFY_SOCKET, as sd_notify(3) does.
   * - `fd:5`: once it has written a newline to this descriptor, which it inherits. It has to come after the listeners and the channel.
   * - `exec:COMMAND`: once this command, run by /bin/sh with the worker's environment, exits with code 0. It is retried.
   * - `delay:2s`: once it has been running for that long, which has to be less than `readyTimeout`.
   * - `tcp:9000`: once 127.0.0.1 accepts a connection on this port, which must be the program's own.
   * - `http:/path`: once GET of that path returns status 200–399. The request is made before the worker accepts connections: inside the process of a
   *   Node.js worker, and to any other one over its own socket, for which `reusePort` is needed.
   * - `http://127.0.0.1:9000/path`: once a port of the program's own answers GET with 200–399.
   */
  readonly ready?: ReadyWhen;
  /**
   * Number of warm-up requests for the health path, 0 to 10000. They are made in the same way after the first success and before the worker is
   * ready, for at most 5s or half of the rest of `readyTimeout`, and their results are ignored. Needs `ready: 'http:/path'`. Default 0.
   */
  readonly warmup?: number;
  /** With `ready: 'auto'`: how long a program that is not Node.js has to run until it counts as ready, 0s to 24h. Default 1s. */
  readonly startsecs?: string;
  /** How long a worker may take to become ready, 1ms to 24h. Default 30s. */
  readonly readyTimeout?: string;
  /** How long a worker may drain before it gets SIGTERM (and SIGKILL 2s later), 0s to 24h. Default 30s. */
  readonly drainTimeout?: string;
  /**
   * What makes a worker that is not Node.js stop accepting, finish its requests and exit: the name of a signal, such as `TERM` or `QUIT`.
   * `auto`, the default: the one that suits what is run, else SIGTERM. `none`: no signal makes the program drain; it keeps serving until
   * `drainTimeout`, and then its open connections are cut. Node.js workers are told by graceful-run, whatever this is.
   */
  readonly drainSignal?: DrainSignalOption;
  /**
   * How long workers go on serving after their master was killed, so that the next master can take the listeners over from them, 0s (not at all: they
   * drain) to 24h. Default 10s.
   */
  readonly rescue?: string;
  /**
   * How long the previous generation keeps its workers and their connections after a reload: if a new worker crashes in that time, the
   * previous generation accepts again. 0s (not at all) to 24h. Default 2s.
   */
  readonly probation?: string;
  /** Move open connections to the new workers at a reload. Default true. */
  readonly migrate?: boolean;
  /** Start it with the master. Default true. */
  readonly autostart?: boolean;
  /** Programs of the same master that have to serve before this one is started, and that are stopped after it. Default: none. */
  readonly dependsOn?: readonly string[];
}

/** Options of a master of one program. */
export interface MasterOptions extends Omit<
  ProgramOptions,
  | 'autostart'
  | 'dependsOn'
  | 'type'
  | 'overlap'
  | 'priority'
  | 'adoptPidFile'
  | 'adoptGrace'
  | keyof ScheduleOptions
> {
  /** Name of the program: in logs, and of the control socket. Default: the port. */
  readonly name?: string;
  /** Open the control socket for gracefulctl. Default true. */
  readonly control?: boolean;
  /** Serve /metrics on a TCP address, too. Default: only on the control socket. */
  readonly metrics?: MetricsOptions;
}

/** Options of a master of many programs. */
export interface PlanOptions {
  /** Serve /metrics on a TCP address, too. Default: only on the control socket. */
  readonly metrics?: MetricsOptions;
  /** Each program under its name. */
  readonly programs: Readonly<Record<string, ProgramOptions>>;
  /** Groups of programs, each under its name. */
  readonly groups?: Readonly<Record<string, GroupOptions>>;
  /** Name of the control socket. Needed unless there is only one program. */
  readonly name?: string;
  /** Open the control socket for gracefulctl. Default true. */
  readonly control?: boolean;
  /** Remember, across restarts of the master, which programs were stopped or started by a request. Default false. */
  readonly remember?: boolean;
}

const programShape = z.partial(z.strictObject(programValues));
const masterShape = z.omit(
  z.partial(z.strictObject({ ...programValues, ...masterValues, name: programName })),
  {
    autostart: true,
    dependsOn: true,
    type: true,
    overlap: true,
    priority: true,
    schedule: true,
    timezone: true,
    ifRunning: true,
    ifMissed: true,
    runTimeout: true,
    adoptPidFile: true,
    adoptGrace: true,
  },
);
const planShape = z.strictObject({
  programs: z.record(programName, z.unknown(), 'a table of programs'),
  groups: z.optional(groupsShape),
  name: z.optional(programName),
  control: z.optional(masterValues.control),
  metrics: z.optional(masterValues.metrics),
  remember: z.optional(z.boolean('true or false')),
});

/** Checks and compiles the options of a master. Errors: `badOption`, `commandMissing`, `planInvalid`. */
export function compileOptions(
  options: MasterOptions | PlanOptions,
  here: string,
  as: OptionSpelling = 'code',
): Plan {
  if ('programs' in options) return compilePlan(options, here);
  const spelling = { as, program: null };
  const parsed = masterShape.safeParse(options, { reportInput: true });
  if (!parsed.success) throw badOption(parsed.error.issues, spelling);
  const { control, metrics, name, ...program } = parsed.data;
  const compiled = compile(name ?? null, program, here, spelling, true);
  return planOf(
    { name: name ?? null, control, remember: undefined, metrics: metricsOf(metrics, here) },
    [compiled],
    {
      as,
      hasTable: false,
      hasPort: () => program.port !== undefined,
    },
  );
}

function compilePlan(options: PlanOptions, here: string): Plan {
  const parsed = planShape.safeParse(options, { reportInput: true });
  if (!parsed.success) throw badOption(parsed.error.issues, { as: 'code', program: null });
  const { programs, groups, name, control, metrics, remember } = parsed.data;
  const alone = Object.entries(programs).map(([program, given]) =>
    compileProgram(program, given as ProgramOptions, here),
  );
  const compiled = withGroups(alone, compileGroups(groups, Object.keys(programs)));
  if (compiled.length > 1 && name === undefined) throw nameMissing();
  const hasPort = (program: string | null): boolean =>
    program !== null && (programs[program] as ProgramOptions | undefined)?.port !== undefined;
  return planOf({ name: name ?? null, control, remember, metrics: metricsOf(metrics, here) }, compiled, {
    as: 'code',
    hasTable: true,
    hasPort,
  });
}

function metricsOf(metrics: MetricsOptions | undefined, here: string): MetricsPlan | null {
  return metrics === undefined ? null : metricsPlan(metrics, (path) => resolve(here, path));
}

function planOf(
  {
    name,
    control,
    metrics,
    remember,
  }: Pick<MasterPlan, 'name' | 'metrics'> & {
    readonly control: boolean | undefined;
    readonly remember: boolean | undefined;
  },
  programs: readonly ProgramPlan[],
  written: WrittenPlan,
): Plan {
  const faults = checkPlan(programs);
  if (faults.length > 0) throw planFaulty(faults, programs, written);
  const master = {
    name,
    hasControl: control ?? defaults.control,
    metrics,
    remembers: remember ?? defaults.remember,
    file: null,
    logLevel: null,
    logFormat: null,
  };
  return deepFreeze({ master, programs: [...programs] });
}

/** Checks and compiles one program of many. Errors: `badOption`, `commandMissing`. */
export function compileProgram(name: string, options: ProgramOptions, here: string): ProgramPlan {
  const spelling: Spelling = { as: 'code', program: name };
  const parsed = programShape.safeParse(options, { reportInput: true });
  if (!parsed.success) throw badOption(parsed.error.issues, spelling);
  return compile(name, parsed.data, here, spelling, false);
}

function compile(
  name: string | null,
  options: z.infer<typeof programShape>,
  here: string,
  spelling: Spelling,
  /** Whether this is the only program of a master without a config file. */
  isOnly: boolean,
): ProgramPlan {
  const { command, workers, cwd, environmentFile, watch } = options;
  if (command?.[0] === undefined || command[0] === '') throw commandMissing(spelling);
  const kind = compileKind(options, (path) => resolve(here, path));
  const refuse = (listeners: readonly ListenerPlan[] | null): void => {
    const unknown = listeners === null ? ['listeners'] : [];
    const [first] = inapplicableOptions({ ...options, listeners: listeners ?? [] }, unknown);
    if (first !== undefined) throw notApplicable(first, spelling);
  };
  // An option that does not fit may be the reason why there is no address, so it is reported first.
  refuse(null);
  const listeners = kind.type === 'server' ? listenersOf(options, here, spelling) : [];
  refuse(listeners);
  const readiness = parseReady(options.ready ?? defaults.ready, options.warmup ?? defaults.warmup) ?? {
    when: 'auto',
  };
  const drainTimeoutMs = parseDuration(options.drainTimeout ?? defaults.drainTimeout) ?? 0;
  return {
    name,
    command,
    listeners,
    reusePort: options.reusePort ?? defaults.reusePort,
    workers: workers === 'auto' ? availableParallelism() : (workers ?? defaults.workers),
    cwd: resolve(here, cwd ?? '.'),
    environment: options.environment ?? {},
    environmentFile: environmentFile === undefined ? null : resolve(here, environmentFile),
    process: compileProcess(options),
    output: compileOutput(options, here),
    watch:
      watch === true
        ? []
        : watch === false || watch === undefined
          ? null
          : watch.map((path) => resolve(here, path)),
    workerKind: workerKind(
      readiness,
      options.migrate ?? defaults.migrate,
      parseDrainSignal(options.drainSignal ?? defaults.drainSignal) ?? 'auto',
    ),
    startsMs: parseDuration(options.startsecs ?? defaultStartsecs(kind.type)) ?? 0,
    readyTimeoutMs: parseDuration(options.readyTimeout ?? defaults.readyTimeout) ?? 0,
    drainTimeoutMs,
    rescueMs: parseDuration(options.rescue ?? defaults.rescue) ?? 0,
    stop: compileStop(options, drainTimeoutMs),
    probationMs: parseDuration(options.probation ?? defaults.probation) ?? 0,
    autostart: options.autostart ?? defaults.autostart,
    dependsOn: options.dependsOn ?? [],
    kind,
    group: null,
    schedule: schedulePlan(options),
    restart: restartPlan(options, kind.type, isOnly),
    rollout: rolloutPlan(options),
    hooks: hooksPlan(options),
    webhook: webhookPlan(options.webhook),
    replacement: replacementPlan(options),
  };
}

interface Addresses extends WrittenTcpOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly listen?: readonly string[] | undefined;
  readonly backlog?: number | undefined;
  readonly socketMode?: string | undefined;
  readonly socketOwner?: string | undefined;
}

/** Compiles the addresses of a program into its listeners. Errors: `badOption`. */
export function listenersOf(
  { port, host, listen, backlog = defaults.backlog, socketMode, socketOwner, ...written }: Addresses,
  here: string,
  spelling: Spelling,
): readonly ListenerPlan[] {
  const options = tcpOptions(written);
  const tcp = (name: string, at: string | null, ofPort: number): TcpListenerPlan =>
    Object.freeze({
      type: 'tcp',
      name,
      // With ipv6_only, no host means every IPv6 address: then the master need not wait for the address that the program asks for.
      host: at ?? (options?.ipv6Only === true ? '::' : null),
      port: ofPort,
      backlog,
      ...(options === undefined ? {} : { options }),
    });
  if (listen === undefined) {
    if (port === undefined) throw portMissing(spelling);
    return [tcp('default', host ?? null, port)];
  }
  if (port !== undefined) throw addressTwice(spelling);
  const taken = new Set<string>();
  return listen.map((written, index) => {
    const address = parseListenAddress(written) ?? { type: 'tcp', name: null, host: null, port: 0 };
    const { type } = address;
    const byAddress =
      type === 'tcp' || type === 'udp'
        ? `${type === 'udp' ? 'udp' : 'port'}-${address.port}`
        : nameAfter(address);
    const name = address.name ?? (index === 0 ? 'default' : byAddress);
    const own = taken.has(name) ? `${name}-${index + 1}` : name;
    taken.add(own);
    if (type === 'tcp') return tcp(own, address.host ?? host ?? null, address.port);
    if (type === 'fd') {
      const { fd } = address;
      return Object.freeze({ type, name: own, fd, backlog, ...(options === undefined ? {} : { options }) });
    }
    if (type === 'udp')
      return Object.freeze({ type, name: own, host: address.host, port: address.port, backlog: 0 });
    const path = address.path.startsWith('@') ? address.path : resolve(here, address.path);
    return Object.freeze({
      type,
      name: own,
      path,
      backlog,
      mode: socketMode === undefined ? null : Number.parseInt(socketMode, 8),
      owner: socketOwner ?? null,
    });
  });
}
