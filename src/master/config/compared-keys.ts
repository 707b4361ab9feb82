/**
 * What is compared of two plans, under the keys of a config file, so that a difference names the keys that were changed. A value that
 * nobody wrote compares like its default. Pure.
 */
import { parseDuration } from '../../shared/durations.ts';
import { defaults, defaultStartsecs } from './options/defaults.ts';
import {
  type LogFileSettings,
  type OutputDestination,
  sizeOf,
  syslogFacilities,
} from './options/output-options.ts';
import { restartPlan } from './options/restart-options.ts';
import type { StopStep } from './options/stop-options.ts';
import type { ListenerPlan, MasterPlan, ProgramPlan, TcpOptions } from './plan.ts';
import { isSame } from './same-data.ts';

export interface ComparedKey {
  /** The key as a config file writes it. */
  readonly key: string;
  readonly of: (program: ProgramPlan) => unknown;
  /** Whether only workers that are started after the change get the new value. */
  readonly isForNewWorkers: boolean;
  /** Whether it may change what a oneshot does. If not, the oneshot is not run again for it: the next run gets the new value. Default: it may. */
  readonly isForItsWork?: boolean;
  /** Whether a difference only follows from that of another key. Default: it never does. */
  readonly follows?: (before: ProgramPlan, after: ProgramPlan) => boolean;
}

/** The compared keys of a program. Every field of its plan is in one of them. */
export const programKeys: readonly ComparedKey[] = [
  { key: 'command', of: ({ command }) => command, isForNewWorkers: true },
  { key: 'reuse_port', of: ({ reusePort }) => reusePort, isForNewWorkers: true },
  {
    key: 'listen',
    of: ({ listeners }) => listeners.map(addressOf),
    isForNewWorkers: true,
    // With ipv6_only, a port without a host stands for every IPv6 address, so that change alone changes the address, too.
    follows: (before, after) =>
      isIPv6Only(before) !== isIPv6Only(after) &&
      isSame(before.listeners.map(withoutWideHost), after.listeners.map(withoutWideHost)),
  },
  { key: 'socket_mode', of: (program) => unixOf(program)?.mode ?? null, isForNewWorkers: true },
  { key: 'socket_owner', of: (program) => unixOf(program)?.owner ?? null, isForNewWorkers: true },
  {
    key: 'backlog',
    of: ({ listeners }) => listeners.find(({ type }) => type !== 'udp')?.backlog ?? defaults.backlog,
    isForNewWorkers: true,
  },
  // Held sockets get these options at once. A reload is still needed: if the new plan fails, running workers must continue with the previous one.
  { key: 'ipv6_only', of: isIPv6Only, isForNewWorkers: true },
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
  {
    key: 'stdout_logfile',
    of: ({ output }) => placeOf(output.stdout),
    isForNewWorkers: true,
    isForItsWork: false,
  },
  {
    key: 'stderr_logfile',
    of: (program) => placeOf(ownStderr(program)),
    isForNewWorkers: true,
    isForItsWork: false,
  },
  {
    key: 'redirect_stderr',
    of: ({ output }) => output.isRedirected,
    isForNewWorkers: true,
    isForItsWork: false,
  },
  { key: 'log_prefix', of: ({ output }) => output.hasPrefix, isForNewWorkers: false },
  // Files that are already open get these settings at once.
  {
    key: 'stdout_logfile_maxbytes',
    of: ({ output }) => settingsOf(output.stdout).maxBytes,
    isForNewWorkers: false,
  },
  {
    key: 'stdout_logfile_backups',
    of: ({ output }) => settingsOf(output.stdout).backups,
    isForNewWorkers: false,
  },
  {
    key: 'stderr_logfile_maxbytes',
    of: (program) => settingsOf(ownStderr(program)).maxBytes,
    isForNewWorkers: false,
  },
  {
    key: 'stderr_logfile_backups',
    of: (program) => settingsOf(ownStderr(program)).backups,
    isForNewWorkers: false,
  },
  { key: 'logfile_compress', of: (program) => fileSettings(program).compress, isForNewWorkers: false },
  { key: 'logfile_daily', of: (program) => fileSettings(program).daily, isForNewWorkers: false },
  {
    key: 'logfile_overflow',
    of: ({ output }) => overflowOf(output.stdout) ?? overflowOf(output.stderr) ?? plainFile.overflow,
    isForNewWorkers: false,
  },
  {
    key: 'syslog_facility',
    of: ({ output }) =>
      facilityOf(output.stdout) ?? facilityOf(output.stderr) ?? syslogFacilities[defaults.syslogFacility],
    isForNewWorkers: false,
  },
  { key: 'logfile_timestamps', of: ({ output }) => output.format.hasTimestamps, isForNewWorkers: false },
  { key: 'logfile_format', of: ({ output }) => output.format.isJson, isForNewWorkers: false },
  { key: 'strip_ansi', of: ({ output }) => output.format.stripsAnsi, isForNewWorkers: false },
  { key: 'watch', of: ({ watch }) => watch, isForNewWorkers: false },
  {
    key: 'ready',
    of: ({ workerKind: { readiness } }) =>
      readiness.when === 'answers' ? { when: readiness.when, path: readiness.path } : readiness,
    isForNewWorkers: true,
    isForItsWork: false,
  },
  {
    key: 'warmup',
    of: ({ workerKind: { readiness } }) => (readiness.when === 'answers' ? readiness.warmup : 0),
    isForNewWorkers: true,
  },
  { key: 'migrate', of: ({ workerKind }) => workerKind.migrates, isForNewWorkers: true },
  {
    key: 'drain_signal',
    of: ({ workerKind }) => workerKind.drainSignal,
    isForNewWorkers: true,
    isForItsWork: false,
  },
  withDefault(
    'startsecs',
    ({ startsMs }) => startsMs,
    ({ kind }) => durationOf(defaultStartsecs(kind.type)),
  ),
  { key: 'ready_timeout', of: ({ readyTimeoutMs }) => readyTimeoutMs, isForNewWorkers: false },
  { key: 'drain_timeout', of: ({ drainTimeoutMs }) => drainTimeoutMs, isForNewWorkers: false },
  { key: 'rescue', of: ({ rescueMs }) => rescueMs, isForNewWorkers: true },
  {
    key: 'stopsignal',
    of: ({ stop }) => signalSteps(stop.steps),
    isForNewWorkers: false,
    follows: isOfOtherWaits,
  },
  { key: 'stopwaitsecs', of: ({ stop }) => stop.defaultWaitMs, isForNewWorkers: false },
  { key: 'stopasgroup', of: ({ stop }) => stop.isForGroup, isForNewWorkers: false },
  { key: 'probation', of: ({ probationMs }) => probationMs, isForNewWorkers: false },
  { key: 'autostart', of: ({ autostart }) => autostart, isForNewWorkers: false },
  { key: 'depends_on', of: ({ dependsOn }) => dependsOn, isForNewWorkers: false },
  { key: 'type', of: ({ kind }) => kind.type, isForNewWorkers: true },
  {
    key: 'overlap',
    of: ({ kind }) => kind.overlaps,
    isForNewWorkers: false,
    // Two daemons with one pid file never overlap.
    follows: ({ kind }, after) => (kind.pidFile === null) !== (after.kind.pidFile === null),
  },
  { key: 'adopt_pid_file', of: ({ kind }) => kind.pidFile?.path ?? null, isForNewWorkers: true },
  {
    key: 'adopt_grace',
    of: ({ kind }) => kind.pidFile?.graceMs ?? durationOf(defaults.adoptGrace),
    isForNewWorkers: true,
  },
  { key: 'priority', of: ({ kind }) => kind.priority, isForNewWorkers: false },
  { key: 'schedule', of: ({ schedule }) => schedule?.expression ?? null, isForNewWorkers: false },
  { key: 'timezone', of: ({ schedule }) => schedule?.timezone ?? null, isForNewWorkers: false },
  {
    key: 'if_running',
    of: ({ schedule }) => schedule?.ifRunning ?? defaults.ifRunning,
    isForNewWorkers: false,
  },
  { key: 'if_missed', of: ({ schedule }) => schedule?.ifMissed ?? defaults.ifMissed, isForNewWorkers: false },
  { key: 'run_timeout', of: ({ schedule }) => schedule?.runTimeoutMs ?? null, isForNewWorkers: false },
  // SUPERVISOR_GROUP_NAME in the environment of a worker names the group.
  { key: 'group', of: ({ group }) => group?.name ?? null, isForNewWorkers: true },
  {
    key: 'group.priority',
    of: ({ group }) => group?.priority ?? null,
    isForNewWorkers: false,
    // Another group has a priority of its own.
    follows: ({ group }, after) => group?.name !== after.group?.name,
  },
  withDefault(
    'autorestart',
    ({ restart }) => restart.autorestart,
    ({ kind }) => restartPlan({}, kind.type, false).autorestart,
  ),
  { key: 'exitcodes', of: ({ restart }) => restart.exitCodes, isForNewWorkers: false },
  withDefault(
    'startretries',
    ({ restart }) => restart.startRetries,
    ({ kind }) => restartPlan({}, kind.type, false).startRetries,
  ),
  { key: 'backoff', of: ({ restart }) => restart.backoff, isForNewWorkers: false },
  { key: 'backoff_max', of: ({ restart }) => restart.backoffMaxMs, isForNewWorkers: false },
  { key: 'crash_loop', of: ({ restart }) => restart.crashLoop, isForNewWorkers: false },
  { key: 'max_memory', of: ({ replacement }) => replacement.maxMemoryBytes, isForNewWorkers: false },
  { key: 'max_lifetime', of: ({ replacement }) => replacement.maxLifetimeMs, isForNewWorkers: false },
  { key: 'max_requests', of: ({ replacement }) => replacement.maxRequests, isForNewWorkers: true },
  { key: 'watchdog', of: ({ replacement }) => replacement.watchdogMs, isForNewWorkers: true },
  { key: 'replace_interval', of: ({ replacement }) => replacement.intervalMs, isForNewWorkers: false },
  { key: 'on_fatal', of: ({ restart }) => restart.onFatal, isForNewWorkers: false },
  { key: 'max_surge', of: ({ rollout }) => rollout.steps.maxSurge, isForNewWorkers: false },
  { key: 'max_unavailable', of: ({ rollout }) => rollout.steps.maxUnavailable, isForNewWorkers: false },
  withDefault(
    'rollout_pause',
    ({ rollout }) => rollout.steps.pauseMs,
    ({ probationMs }) => probationMs,
  ),
  { key: 'canary', of: ({ rollout }) => rollout.steps.canary, isForNewWorkers: false },
  withDefault(
    'canary_time',
    ({ rollout }) => rollout.steps.canaryMs,
    ({ probationMs }) => probationMs,
  ),
  { key: 'rollback_on', of: ({ rollout }) => rollout.rollbackOn, isForNewWorkers: false },
  { key: 'hooks', of: ({ hooks }) => sorted(hooks?.commands ?? {}), isForNewWorkers: false },
  { key: 'webhook', of: ({ webhook }) => webhook, isForNewWorkers: false },
  {
    key: 'hook_timeout',
    of: ({ hooks }) => hooks?.timeoutMs ?? durationOf(defaults.hookTimeout),
    isForNewWorkers: false,
  },
];

/** The compared keys of `[master]`. */
export const masterKeys: readonly {
  readonly key: string;
  readonly of: (master: MasterPlan) => unknown;
}[] = [
  { key: 'name', of: ({ name }) => name },
  { key: 'control', of: ({ hasControl }) => hasControl },
  { key: 'remember', of: ({ remembers }) => remembers },
  { key: 'metrics', of: ({ metrics }) => (metrics === null ? null : [metrics.host, metrics.port]) },
  { key: 'metrics_token', of: ({ metrics }) => metrics?.token ?? null },
  { key: 'metrics_cert', of: ({ metrics }) => metrics?.tls?.cert ?? null },
  { key: 'metrics_key', of: ({ metrics }) => metrics?.tls?.key ?? null },
  { key: 'log_level', of: ({ logLevel }) => logLevel },
  { key: 'log_format', of: ({ logFormat }) => logFormat },
];

const plainFile: LogFileSettings = {
  maxBytes: sizeOf(defaults.stdoutLogfileMaxbytes) ?? 0,
  backups: defaults.stdoutLogfileBackups,
  compress: defaults.logfileCompress,
  daily: defaults.logfileDaily,
  overflow: defaults.logfileOverflow,
};

/** A key that needs no new workers, and whose default depends on other keys: it has not changed if it has the default before and after. */
function withDefault<Value>(
  key: string,
  of: (program: ProgramPlan) => Value,
  defaultOf: (program: ProgramPlan) => Value,
): ComparedKey {
  return {
    key,
    of,
    isForNewWorkers: false,
    follows: (before, after) => of(before) === defaultOf(before) && of(after) === defaultOf(after),
  };
}

function durationOf(written: string): number {
  return parseDuration(written) ?? 0;
}

function placeOf(destination: OutputDestination): string {
  if (destination.to === 'file') return destination.path;
  return 'path' in destination ? `${destination.to}:${destination.path}` : destination.to;
}

/** The destination that the keys for stderr name. With `redirect_stderr`, no key names one. */
function ownStderr({ output }: ProgramPlan): OutputDestination {
  return output.isRedirected ? { to: 'inherit' } : output.stderr;
}

function settingsOf(destination: OutputDestination): LogFileSettings {
  return destination.to === 'file' ? destination.settings : plainFile;
}

/** The settings of the program's log files, which are the same for both files except for size and backups. */
function fileSettings({ output: { stdout, stderr } }: ProgramPlan): LogFileSettings {
  return settingsOf(stdout.to === 'file' ? stdout : stderr);
}

function overflowOf(destination: OutputDestination): LogFileSettings['overflow'] | null {
  if (destination.to === 'file') return destination.settings.overflow;
  return 'overflow' in destination ? destination.overflow : null;
}

function facilityOf(destination: OutputDestination): number | null {
  return 'facility' in destination ? destination.facility : null;
}

/** The part of a listener that `port`, `host` and `listen` decide. */
function addressOf(listener: ListenerPlan): object {
  const { type, name } = listener;
  if (type === 'unix') return { type, name, path: listener.path };
  if (type === 'fd') return { type, name, fd: listener.fd };
  return { type, name, host: listener.host, port: listener.port };
}

function withoutWideHost(listener: ListenerPlan): object {
  return addressOf(
    listener.type === 'tcp' && listener.host === '::' ? { ...listener, host: null } : listener,
  );
}

/** A UNIX listener of the program, if it has one. Mode and owner are the same for all of them. */
function unixOf({ listeners }: ProgramPlan): Extract<ListenerPlan, { type: 'unix' }> | undefined {
  return listeners.find((one) => one.type === 'unix');
}

/** The TCP options of the program. They are the same for all listeners that have any. */
function optionsOf({ listeners }: ProgramPlan): TcpOptions | undefined {
  return listeners.flatMap((one) => ('options' in one ? [one.options] : []))[0];
}

function isIPv6Only(program: ProgramPlan): boolean {
  return optionsOf(program)?.ipv6Only ?? false;
}

/** The steps that `stopsignal` names; null if it is not set. */
function signalSteps(steps: readonly StopStep[] | null): readonly StopStep[] | null {
  return steps?.[0]?.signal === null ? null : steps;
}

/** Whether the signals differ only in waits that are not written, and so follow `stopwaitsecs` or else `drain_timeout`. */
function isOfOtherWaits(before: ProgramPlan, after: ProgramPlan): boolean {
  const shape = ({ stop, drainTimeoutMs }: ProgramPlan, other: readonly StopStep[]): unknown =>
    signalSteps(stop.steps)?.map(({ signal, waitMs }, index) => [
      signal,
      waitMs === (stop.defaultWaitMs ?? drainTimeoutMs) && waitMs !== other[index]?.waitMs ? null : waitMs,
    ]);
  const [old, next] = [signalSteps(before.stop.steps), signalSteps(after.stop.steps)];
  return old !== null && next !== null && isSame(shape(before, next), shape(after, old));
}

function sorted(table: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(table).sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
}
