/** How one plan differs from another, and the least that has to be done about it. Pure. */
import type { PlanDifference, ProgramChange } from '../../shared/control-api.ts';
import type { LogFileSettings, OutputDestination } from './options/output-options.ts';
import type { ListenerPlan, MasterPlan, Plan, ProgramPlan, TcpOptions } from './plan.ts';
import { isWideIPv6Only } from './options/tcp-options.ts';

export function comparePlans(before: Plan, after: Plan): PlanDifference {
  const old = new Map(before.programs.map((program) => [program.name, program]));
  const names = new Set(after.programs.map(({ name }) => name));
  const going = goingListeners(before, after);
  return {
    added: after.programs.flatMap(({ name }) => (name === null || old.has(name) ? [] : [name])),
    removed: before.programs.flatMap(({ name }) => (name === null || names.has(name) ? [] : [name])),
    changed: after.programs.flatMap((program) => {
      const known = old.get(program.name);
      return known === undefined ? [] : (comparePrograms(known, program, going) ?? []);
    }),
    master: masterKeys(before.master, after.master),
  };
}

export function isEmpty({ added, removed, changed }: PlanDifference): boolean {
  return added.length + removed.length + changed.length === 0;
}

/** Null: they are the same. `going`: listeners that some program gives up. */
function comparePrograms(
  before: ProgramPlan,
  after: ProgramPlan,
  going: readonly ListenerPlan[],
): ProgramChange | null {
  const keys = aspects.filter(({ of }) => !isSame(of(before), of(after)));
  if (keys.length === 0) return null;
  const coming = after.listeners.filter((one) => !isDeclared(one, before.listeners));
  const isReloaded = keys.some(({ isForNewWorkers }) => isForNewWorkers);
  const needs =
    areExcluded(coming, going) || (isReloaded && isEnded(before, after))
      ? 'restart'
      : isReloaded && after.schedule === null
        ? 'reload'
        : 'nothing';
  return { program: after.name ?? '', keys: keys.map(({ key }) => key), needs };
}

/** Its workers have to end before others begin. What runs by a schedule before and after has its changes with the next run. */
function isEnded(before: ProgramPlan, after: ProgramPlan): boolean {
  if ((before.schedule === null) !== (after.schedule === null)) return true;
  return after.schedule === null && !(before.kind.overlaps && after.kind.overlaps);
}

interface Aspect {
  /** As a config file writes it. */
  readonly key: string;
  readonly of: (program: ProgramPlan) => unknown;
  /** Only workers that are started after the change have it. */
  readonly isForNewWorkers: boolean;
}

/** Every field of a program's plan is in one of them. */
const aspects: readonly Aspect[] = [
  { key: 'command', of: ({ command }) => command, isForNewWorkers: true },
  { key: 'reuse_port', of: ({ reusePort }) => reusePort, isForNewWorkers: true },
  { key: 'listen', of: ({ listeners }) => listeners.map(withoutOptions), isForNewWorkers: true },
  {
    key: 'backlog',
    of: ({ listeners }) => Math.max(0, ...listeners.map(({ backlog }) => backlog)),
    isForNewWorkers: true,
  },
  // The held sockets get them at once. If the new plan fails, running workers must continue with the previous one: so this needs a reload.
  { key: 'ipv6_only', of: (program) => optionsOf(program)?.ipv6Only ?? false, isForNewWorkers: true },
  { key: 'tcp_fast_open', of: (program) => optionsOf(program)?.fastOpen ?? null, isForNewWorkers: true },
  {
    key: 'defer_accept',
    of: (program) => optionsOf(program)?.deferAcceptSeconds ?? null,
    isForNewWorkers: true,
  },
  { key: 'keepalive', of: (program) => optionsOf(program)?.keepAlive ?? null, isForNewWorkers: true },
  { key: 'freebind', of: (program) => optionsOf(program)?.freebind ?? false, isForNewWorkers: true },
  { key: 'workers', of: ({ workers }) => workers, isForNewWorkers: false },
  { key: 'directory', of: ({ cwd }) => cwd, isForNewWorkers: true },
  { key: 'environment', of: ({ environment }) => sorted(environment), isForNewWorkers: true },
  { key: 'env_file', of: ({ environmentFile }) => environmentFile, isForNewWorkers: true },
  { key: 'user', of: ({ process }) => process.user, isForNewWorkers: true },
  { key: 'umask', of: ({ process }) => process.umask, isForNewWorkers: true },
  { key: 'nice', of: ({ process }) => process.nice, isForNewWorkers: true },
  { key: 'limits', of: ({ process }) => sorted(process.limits), isForNewWorkers: true },
  { key: 'no_new_privileges', of: ({ process }) => process.noNewPrivileges, isForNewWorkers: true },
  { key: 'cpu_affinity', of: ({ process }) => process.cpuAffinity, isForNewWorkers: true },
  { key: 'oom_score_adj', of: ({ process }) => process.oomScoreAdj, isForNewWorkers: true },
  { key: 'stdout_logfile', of: ({ output }) => placeOf(output.stdout), isForNewWorkers: true },
  { key: 'stderr_logfile', of: ({ output }) => placeOf(output.stderr), isForNewWorkers: true },
  { key: 'log_prefix', of: ({ output }) => output.hasPrefix, isForNewWorkers: false },
  // Files that are open get these at once.
  ...(['stdout', 'stderr'] as const).flatMap((stream): readonly Aspect[] => [
    {
      key: `${stream}_logfile_maxbytes`,
      of: ({ output }) => settingsOf(output[stream])?.maxBytes,
      isForNewWorkers: false,
    },
    {
      key: `${stream}_logfile_backups`,
      of: ({ output }) => settingsOf(output[stream])?.backups,
      isForNewWorkers: false,
    },
  ]),
  { key: 'logfile_compress', of: (program) => fileSettings(program)?.compress, isForNewWorkers: false },
  { key: 'logfile_daily', of: (program) => fileSettings(program)?.daily, isForNewWorkers: false },
  {
    key: 'logfile_overflow',
    of: ({ output }) => overflowOf(output.stdout) ?? overflowOf(output.stderr),
    isForNewWorkers: false,
  },
  {
    key: 'syslog_facility',
    of: ({ output }) => facilityOf(output.stdout) ?? facilityOf(output.stderr),
    isForNewWorkers: false,
  },
  { key: 'logfile_timestamps', of: ({ output }) => output.format.hasTimestamps, isForNewWorkers: false },
  { key: 'logfile_format', of: ({ output }) => output.format.isJson, isForNewWorkers: false },
  { key: 'strip_ansi', of: ({ output }) => output.format.stripsAnsi, isForNewWorkers: false },
  { key: 'watch', of: ({ watch }) => watch, isForNewWorkers: false },
  { key: 'ready', of: ({ workerKind }) => workerKind.readiness, isForNewWorkers: true },
  { key: 'migrate', of: ({ workerKind }) => workerKind.migrates, isForNewWorkers: true },
  { key: 'drain_signal', of: ({ workerKind }) => workerKind.drainSignal, isForNewWorkers: true },
  { key: 'startsecs', of: ({ startsMs }) => startsMs, isForNewWorkers: false },
  { key: 'ready_timeout', of: ({ readyTimeoutMs }) => readyTimeoutMs, isForNewWorkers: false },
  { key: 'drain_timeout', of: ({ drainTimeoutMs }) => drainTimeoutMs, isForNewWorkers: false },
  { key: 'stopsignal', of: ({ stop }) => stop.steps, isForNewWorkers: false },
  { key: 'stopasgroup', of: ({ stop }) => stop.isForGroup, isForNewWorkers: false },
  { key: 'probation', of: ({ probationMs }) => probationMs, isForNewWorkers: false },
  { key: 'autostart', of: ({ autostart }) => autostart, isForNewWorkers: false },
  { key: 'depends_on', of: ({ dependsOn }) => dependsOn, isForNewWorkers: false },
  { key: 'type', of: ({ kind }) => kind.type, isForNewWorkers: true },
  { key: 'overlap', of: ({ kind }) => kind.overlaps, isForNewWorkers: false },
  { key: 'adopt_pid_file', of: ({ kind }) => kind.pidFile?.path ?? null, isForNewWorkers: true },
  { key: 'adopt_grace', of: ({ kind }) => kind.pidFile?.graceMs ?? null, isForNewWorkers: true },
  { key: 'priority', of: ({ kind }) => kind.priority, isForNewWorkers: false },
  { key: 'schedule', of: ({ schedule }) => schedule?.expression ?? null, isForNewWorkers: false },
  { key: 'timezone', of: ({ schedule }) => schedule?.timezone ?? null, isForNewWorkers: false },
  { key: 'if_running', of: ({ schedule }) => schedule?.ifRunning ?? null, isForNewWorkers: false },
  { key: 'if_missed', of: ({ schedule }) => schedule?.ifMissed ?? null, isForNewWorkers: false },
  { key: 'run_timeout', of: ({ schedule }) => schedule?.runTimeoutMs ?? null, isForNewWorkers: false },
  // SUPERVISOR_GROUP_NAME in the environment of a worker.
  { key: 'group', of: ({ group }) => group?.name ?? null, isForNewWorkers: true },
  { key: 'group.priority', of: ({ group }) => group?.priority ?? null, isForNewWorkers: false },
  { key: 'autorestart', of: ({ restart }) => restart.autorestart, isForNewWorkers: false },
  { key: 'exitcodes', of: ({ restart }) => restart.exitCodes, isForNewWorkers: false },
  { key: 'startretries', of: ({ restart }) => restart.startRetries, isForNewWorkers: false },
  { key: 'backoff', of: ({ restart }) => restart.backoff, isForNewWorkers: false },
  { key: 'backoff_max', of: ({ restart }) => restart.backoffMaxMs, isForNewWorkers: false },
  { key: 'crash_loop', of: ({ restart }) => restart.crashLoop, isForNewWorkers: false },
  { key: 'max_memory', of: ({ replacement }) => replacement.maxMemoryBytes, isForNewWorkers: false },
  { key: 'max_lifetime', of: ({ replacement }) => replacement.maxLifetimeMs, isForNewWorkers: false },
  { key: 'max_requests', of: ({ replacement }) => replacement.maxRequests, isForNewWorkers: true },
  { key: 'watchdog', of: ({ replacement }) => replacement.watchdogMs, isForNewWorkers: true },
  { key: 'replace_interval', of: ({ replacement }) => replacement.intervalMs, isForNewWorkers: false },
  { key: 'on_fatal', of: ({ restart }) => restart.onFatal, isForNewWorkers: false },
  { key: 'max_surge', of: ({ rollout }) => JSON.stringify(rollout.steps.maxSurge), isForNewWorkers: false },
  {
    key: 'max_unavailable',
    of: ({ rollout }) => JSON.stringify(rollout.steps.maxUnavailable),
    isForNewWorkers: false,
  },
  { key: 'rollout_pause', of: ({ rollout }) => rollout.steps.pauseMs, isForNewWorkers: false },
  { key: 'canary', of: ({ rollout }) => rollout.steps.canary, isForNewWorkers: false },
  { key: 'canary_time', of: ({ rollout }) => rollout.steps.canaryMs, isForNewWorkers: false },
  { key: 'rollback_on', of: ({ rollout }) => rollout.rollbackOn, isForNewWorkers: false },
  { key: 'hooks', of: ({ hooks }) => sorted(hooks?.commands ?? {}), isForNewWorkers: false },
  { key: 'webhook', of: ({ webhook }) => webhook, isForNewWorkers: false },
  { key: 'hook_timeout', of: ({ hooks }) => hooks?.timeoutMs ?? null, isForNewWorkers: false },
];

function placeOf(destination: OutputDestination): string {
  if (destination.to === 'file') return destination.path;
  return 'path' in destination ? `${destination.to}:${destination.path}` : destination.to;
}

function settingsOf(destination: OutputDestination): LogFileSettings | null {
  return destination.to === 'file' ? destination.settings : null;
}

function overflowOf(destination: OutputDestination): LogFileSettings['overflow'] | null {
  return 'overflow' in destination ? destination.overflow : (settingsOf(destination)?.overflow ?? null);
}

function facilityOf(destination: OutputDestination): number | null {
  return 'facility' in destination ? destination.facility : null;
}

/** They are the same for both files, but for size and backups. */
function fileSettings({ output }: ProgramPlan): LogFileSettings | null {
  return settingsOf(output.stdout) ?? settingsOf(output.stderr);
}

function withoutOptions(listener: ListenerPlan): object {
  return { ...listener, backlog: 0, options: null };
}

/** They are the same for all listeners that have any. */
function optionsOf({ listeners }: ProgramPlan): TcpOptions | undefined {
  return listeners.flatMap((one) => ('options' in one ? [one.options] : []))[0];
}

function masterKeys(before: MasterPlan, after: MasterPlan): readonly string[] {
  const keys: readonly (readonly [key: string, of: (master: MasterPlan) => unknown])[] = [
    ['name', ({ name }) => name],
    ['control', ({ hasControl }) => hasControl],
    ['remember', ({ remembers }) => remembers],
    ['metrics', ({ metrics }) => (metrics === null ? null : JSON.stringify(metrics))],
    ['log_level', ({ logLevel }) => logLevel],
    ['log_format', ({ logFormat }) => logFormat],
  ];
  return keys.flatMap(([key, of]) => (of(before) === of(after) ? [] : [key]));
}

/** Listeners of programs that are removed, or that give them up. */
export function goingListeners(before: Plan, after: Plan): readonly ListenerPlan[] {
  return before.programs.flatMap(({ name, listeners }) => {
    const kept = after.programs.find((program) => program.name === name)?.listeners ?? [];
    return listeners.filter((one) => !isDeclared(one, kept));
  });
}

/**
 * One of them cannot be bound while a removed listener is held: they have the same port, and one of the two is for every address. (The
 * same address is taken over instead. Names may mean any address.)
 */
export function areExcluded(coming: readonly ListenerPlan[], going: readonly ListenerPlan[]): boolean {
  return coming.some((one) =>
    going.some(
      (other) =>
        (one.type === 'tcp' || one.type === 'udp') &&
        other.type === one.type &&
        one.port !== 0 &&
        other.port === one.port &&
        (other.host !== one.host || isWideIPv6Only(other) !== isWideIPv6Only(one)) &&
        mayOverlap(one.host, other.host),
    ),
  );
}

/** Is there a listener for the same address? */
export function isDeclared(listener: ListenerPlan, listeners: readonly ListenerPlan[]): boolean {
  return listeners.some((one) => isSameAddress(one, listener));
}

/** Port 0 stands for another port each time, and is the same address all the same. */
export function isSameAddress(one: ListenerPlan, other: ListenerPlan): boolean {
  if (one.type === 'unix') return other.type === 'unix' && one.path === other.path;
  if (one.type === 'fd') return other.type === 'fd' && one.fd === other.fd;
  if (other.type !== one.type || isWideIPv6Only(one) !== isWideIPv6Only(other)) return false;
  return one.host === other.host && one.port === other.port;
}

/** Whether two hosts may stand for the same address. */
function mayOverlap(one: string | null, other: string | null): boolean {
  return isWide(one) || isWide(other) || isName(one) || isName(other);
}

function isWide(host: string | null): boolean {
  return host === null || host === '::' || host === '0.0.0.0';
}

function isName(host: string | null): boolean {
  return host !== null && !/^[\d.]+$/.test(host) && !host.includes(':');
}

function sorted(table: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(table).sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
}

/** Whether two values of plans are equal: plain data, whose keys are always in the same order. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
