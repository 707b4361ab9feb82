/** The sentence for each event, shared by the log and `gracefulctl events`. Pure. Nothing parses these texts. */
import { formatBytes } from './byte-sizes.ts';
import { count, describeOpen } from './count-words.ts';
import { describeFailureShortly, describeOutcome, errorOf, reasonOf } from './describe-failure.ts';
import { describeRelease, except, servesOn } from './describe-release.ts';
import { formatDuration } from './durations.ts';
import type {
  Cause,
  MasterEvent,
  Failure,
  Release,
  ReplacementCause,
  RunCause,
  RunResult,
  WorkerIdentity,
} from './events.ts';
import { describeAddress, describePlace, formatAddress, formatSocketAddress } from './format-address.ts';
import { howToHold } from './how-to-hold.ts';
import { type Paint, plainPaint } from './paint.ts';
import { printable } from './printable.ts';
import type { DrainReason } from './protocol.ts';

type KillReason = Extract<MasterEvent, { event: 'workerKilled' }>['reason'];

export interface DescribeOptions {
  /** Colours for the word that names the current state. */
  readonly paint?: Paint;
  /** How much is said about a failure. Default: `reason`. */
  readonly detail?: Detail;
}

/**
 * How much is said about a failure. `reason`: the message and the error that the worker wrote. `message`: without that error, which another line
 * shows. `outcome`: a few words, because another line says why.
 */
export type Detail = 'reason' | 'message' | 'outcome';

/** One line for one event, without a full stop. Total: an event without a sentence does not compile. */
export function describe(
  event: MasterEvent,
  { paint = plainPaint, detail = 'reason' }: DescribeOptions = {},
): string {
  const isExplained = detail === 'outcome' && event.event === 'stopped' && event.failure !== null;
  const words = isExplained ? 'gave up because of this failure' : printable(sentence(event, whyOf[detail]));
  const [word, colour] = stateWords[event.event] ?? [];
  return word === undefined || colour === undefined
    ? words
    : words.replace(word, (found) => paint[colour](found));
}

const whyOf: Readonly<Record<Detail, (failure: Failure) => string>> = {
  reason: reasonOf,
  message: ({ message }) => message,
  outcome: describeFailureShortly,
};

/** The word of a sentence that names the current state, and whether that is good or bad. */
const stateWords: {
  readonly [Name in MasterEvent['event']]?: readonly [word: string, meaning: keyof Paint];
} = {
  generationReady: ['serves', 'good'],
  workerReady: ['ready', 'good'],
  generationFailed: ['failed', 'bad'],
  generationRolledBack: ['failed', 'bad'],
  workerFailed: ['failed', 'bad'],
  workerHung: ['hung', 'bad'],
  workerRestartedItself: ['crashed', 'bad'],
  workerKilled: ['killed', 'bad'],
  watchFailed: ['cannot watch', 'bad'],
  outputLost: ['lost', 'bad'],
  logRotationFailed: ['cannot rotate', 'bad'],
  workerDraining: ['draining', 'warn'],
  workerTerminated: ['signalled', 'warn'],
};

const runsBecause: Readonly<Record<RunCause, string>> = {
  schedule: 'runs, as scheduled',
  missed: 'runs, because a run was missed',
  request: 'runs, as requested',
};

const ended: Readonly<Record<RunResult, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  timedOut: 'timed out',
  replaced: 'was cut short by the next one,',
  stopped: 'was stopped',
};

function sentence(event: MasterEvent, why: (failure: Failure) => string): string {
  switch (event.event) {
    case 'masterStarted':
      return `graceful-run ${event.version} started, pid ${event.pid}${event.control === null ? '' : `, control socket ${event.control}`}`;
    case 'controlSocketChanged':
      return `${socketChange[event.change](event.control)}${event.problem === null ? '' : `: ${event.problem}`}`;
    case 'metricsServed':
      return `metrics on http${event.isSecure ? 's' : ''}://${formatAddress(event.host ?? '', event.port ?? 0)}/metrics`;
    case 'metricsFailed':
      return `metrics: ${event.problem}; the previous certificate stays in use`;
    case 'listenerBound':
      return `listening on ${describeAddress(event)}`;
    case 'listenersClosed':
      return 'listeners closed';
    case 'generationStarted':
      return `generation ${event.generation} starting with ${count(event.workers, 'worker')}${which(event.release)}`;
    case 'generationReady':
      if (event.isOneshot === true)
        return `generation ${event.generation} runs${event.release === null ? '' : ` (${describeRelease(event.release)})`}`;
      return `generation ${event.generation} serves${event.release === null ? '' : ` (${describeRelease(event.release)})`}, ready after ${formatDuration(event.durationMs)}${
        event.probationMs === 0 ? '' : `, on probation for ${formatDuration(event.probationMs)}`
      }`;
    case 'generationSettled':
      return event.isEarly
        ? `the probation of generation ${event.generation} was cut short after ${formatDuration(event.durationMs)}`
        : `generation ${event.generation} passed its probation of ${formatDuration(event.durationMs)}`;
    case 'rolloutAdvanced':
      return `${event.isCanary ? 'canary: ' : ''}${event.serving} of ${count(event.workers, 'worker')} of generation ${event.generation} serving; the next step starts in ${formatDuration(event.pauseMs)}`;
    case 'generationRolledBack':
      return `generation ${event.generation}${event.release === null ? '' : ` (${describeRelease(event.release)})`} failed ${formatDuration(event.durationMs)} after it began to serve, generation ${event.to} serves again${except(event.remaining)}: ${why(event.failure)}`;
    case 'generationFailed':
      return `generation ${event.generation}${event.release === null ? '' : ` (${describeRelease(event.release)})`} failed after ${formatDuration(event.durationMs)}${servesOn(event.serving)}: ${why(event.failure)}`;
    case 'reloadRequested':
      return `reload requested by ${asker[event.cause]}: generation ${event.generation} starts${event.pending ? afterWhat(event.generation) : ''}`;
    case 'stopRequested':
      return `stop ${event.urgent ? 'at once ' : ''}requested by ${asker[event.cause]}`;
    case 'startRefused':
      return `cannot be started: ${why(event.failure)}`;
    case 'runStarted':
      return runsBecause[event.cause];
    case 'runEnded':
      return `the run ${ended[event.result]}${event.outcome === null || event.result === 'succeeded' ? '' : ` with ${describeOutcome(event.outcome)}`} after ${formatDuration(event.durationMs)}`;
    case 'runTimedOut':
      return `the run takes longer than ${formatDuration(event.timeoutMs)} (run_timeout) and is stopped`;
    case 'runSkipped':
      return event.reason === 'stillRunning'
        ? 'a run was skipped: the one before is still under way'
        : `a run was skipped: ${event.programs.join(', ')} ${event.programs.length === 1 ? 'does' : 'do'} not serve`;
    case 'runsMissed':
      return `missed ${count(event.count, 'run')}${event.isMadeUp ? `, and runs now ${event.count === 1 ? 'instead' : 'once for all of them'}` : ''}`;
    case 'keptStopped':
      return `stays stopped, because an operator had stopped it; to start it: gracefulctl start ${programOf(event) ?? 'NAME'}`;
    case 'startWaits':
      return `${describeWait(event.programs, event.oneshots ?? [])} before it starts`;
    case 'planChanged':
      return `${event.file === null ? 'the plan was changed' : `${event.file} was read again`}: ${describeNames(event)}`;
    case 'planRefused':
      return `${event.file ?? 'the new plan'} is wrong, so nothing was changed: ${event.problems.join('; ')}`;
    case 'stopped':
      if (event.failure !== null) return `gave up: ${why(event.failure)}`;
      if (event.isOneshot === true && event.outcome?.code === 0) return 'has ended with success';
      return event.outcome === null ? 'stopped' : `ended by itself with ${describeOutcome(event.outcome)}`;
    case 'startRetryScheduled':
      return `starts again in ${formatDuration(event.delayMs)}, after ${event.failures === 1 ? 'a failure' : `${event.failures} failures in a row`} (graceful-run gives up after ${event.retries + 1} failures in a row)`;
    case 'workerNotReplaced':
      if (event.isOneshot === true && event.why === 'exited')
        return `${worker(event)} is not started again: a oneshot runs once`;
      return event.why === 'exited'
        ? `${worker(event)} is not replaced: it has ended by itself`
        : `${worker(event)} is not replaced: too many workers have died (crash_loop)`;
    case 'rememberedFailed':
      return `cannot use ${event.file}, which remembers which programs were stopped: ${event.problem}`;
    case 'replacementStarted':
      return `${worker(event)} is to be replaced: ${describeCause(event.cause)}`;
    case 'workerReplaced':
      return `${worker(event)} was replaced after ${formatDuration(event.durationMs)}: ${describeCause(event.cause)}`;
    case 'replacementFailed':
      return `${worker(event)} keeps running, because its replacement failed; the next attempt is in ${formatDuration(event.delayMs)}, after ${event.failures === 1 ? 'a failure' : `${event.failures} failures in a row`}`;
    case 'workerCountChanged':
      return `${count(event.toCount, 'worker')} wanted instead of ${event.fromCount}`;
    case 'restartScheduled':
      return `worker in slot ${event.slot} restarts ${event.delayMs === 0 ? 'at once' : `in ${formatDuration(event.delayMs)}`}, after ${event.failures === 1 ? 'a failure' : `${event.failures} failures in a row`}`;
    case 'workerAdopted':
      return `${worker(event)} ${adoptedHow[event.how]}`;
    case 'workerHung':
      return describeHung(event);
    case 'exitHung':
      return `${worker(event)}: process ${event.process} began to exit with code ${event.code}, but still waits for its own threads after ${formatDuration(event.waitedMs)}, so it is killed (a bug in Node.js 24 and 26: nodejs/node#54918)`;
    case 'workerStarted':
      return `${worker(event)} started`;
    case 'workerNotReadyYet':
      return `${worker(event)} not ready yet: ${event.reason}`;
    case 'workerReady':
      return `${worker(event)} ready after ${formatDuration(event.durationMs)}`;
    case 'workerLostProgram':
      return `${worker(event)} crashed: ${event.failure.message}`;
    case 'workerRestartedItself':
      return `${worker(event)} crashed and was restarted by its own command: ${why(event.failure)}`;
    case 'workerPaused':
      return `${worker(event)} told to keep its connections and to accept no new ones for now`;
    case 'workerResumed':
      return `${worker(event)} told to accept again`;
    case 'workerNotPaused':
      return `${worker(event)} cannot pause, so it drains now: ${event.problem}`;
    case 'workerAdmitted':
      return `${worker(event)} accepts connections`;
    case 'workerDraining':
      return `${worker(event)} draining: ${drainReason[event.reason]}`;
    case 'workerAcceptsNoMore':
      return `${worker(event)} no longer accepts connections`;
    case 'workerCleanUpCut':
      return `${worker(event)}: its ${event.what} had not finished at the drain timeout and were cut: ${event.what === 'drain hooks' ? 'let every hook return, or resolve, in time' : 'let handlers end with process.exit()'}, or allow more time with drain_timeout (--drain-timeout)`;
    case 'stillDraining':
      return stillDraining(event);
    case 'workerTerminated':
      return `${worker(event)} got ${event.signal}: still ${event.from ?? 'running'} after ${formatDuration(event.durationMs)}`;
    case 'workerKilled':
      return `${worker(event)} killed: ${killReason[event.reason]}${mayHaveCut(event)}`;
    case 'workerExited':
      return `${worker(event)} ended with ${describeOutcome(event.outcome)}${drainReport(event)}${crash(event.failure)}`;
    case 'workerFailed':
      return `${worker(event)} failed: ${why(event.failure)}`;
    case 'migrationFailed':
      return `${worker(event)} cannot move its connections to a new worker: ${event.problem}`;
    case 'undeclaredListen':
      return `${worker(event)} also listens on ${event.address}, which graceful-run does not hold: two generations cannot both bind it, so a reload fails or interrupts service there; if clients use this address, let graceful-run hold it too: ${howToHold(event.address)}`;
    case 'wideListen':
      if (event.address.startsWith('udp:'))
        return `${worker(event)} asked for ${event.address} only, but the listener is open to every address: name ${event.address} in listen (--listen)`;
      return `${worker(event)} asked for ${event.address} only, but the listener is open to every address (one on :: shows IPv4 clients as ::ffff:a.b.c.d): set ${hostOption(event.address)}, or name ${event.address} in listen (--listen)`;
    case 'narrowListen':
      return `${worker(event)} asked for ${event.address}, but the listener is open only to the addresses that the first generation asked for: restart the master, or set the address with host (--host)`;
    case 'addressBusy':
      return `${event.host === null || event.port === null ? describePlace(event) : formatSocketAddress({ type: event.type === 'udp' ? 'udp' : 'tcp', host: event.host, port: event.port })} is in use by another process: retrying for ${formatDuration(event.patienceMs)}`;
    case 'addressLeftOut':
      return `does not listen on ${event.address}, an address of ${event.host ?? 'its host'}, because this machine does not have it`;
    case 'inheritedSocketUnused':
      return `was started with a socket ${event.socket === null ? '' : `called ${event.socket} `}on ${describeAddress(event)} that no program listens on: declare it in listen (--listen), or remove it from what starts graceful-run`;
    case 'upgradeRequested':
      return `upgrade requested by ${asker[event.cause]}`;
    case 'upgradeWaits':
      return `the upgrade waits: ${event.until}`;
    case 'upgradeFailed':
      return `the upgrade failed, and everything runs as before: ${event.problem}${event.hint === null ? '' : ` (${event.hint})`}`;
    case 'masterUpgraded':
      return `upgraded from ${event.from} to ${event.version} (Node.js ${event.nodeFrom} to ${event.node}) in ${formatDuration(event.durationMs)}`;
    case 'nameBusy':
      return `the master with pid ${event.holder} has this name and is stopping: waiting until it has exited`;
    case 'listenerRescued':
      return `took ${describePlace(event)} over from ${processes(event.pids)}, whose master was killed`;
    case 'orphansDrained':
      return event.problem === null
        ? `told ${processes(event.pids)}, whose master was killed, to drain`
        : `told ${processes(event.pids)}, whose master was killed, to drain, because ${event.problem}`;
    case 'orphansKilled':
      return `killed ${processes(event.pids)}, whose master is gone and which still held ${describePlace(event)} after the drain timeout`;
    case 'listenerLeftBehind':
      return `${processes(event.pids)} outlived the last worker and still held its listening socket: ${describePlace(event)} was closed for all processes`;
    case 'leftoversKilled':
      return `${processes(event.pids)}, which its workers had left behind, got SIGKILL`;
    case 'listenerKept':
      return `${processes(event.pids)}, which ${worker(event)} had started, ${event.killed ? 'still held the listening socket after that worker had ended, and got SIGKILL' : 'outlived that worker and may still accept connections: let the program close the listening socket in processes that it starts'}`;
    case 'listenerShutDown':
      return `a worker closed ${describeAddress(event)} for all processes with shutdown(2): ${event.problem === null ? 'it was opened again' : `it cannot be opened again (${event.problem}): restart the program`}`;
    case 'queueLeftBehind':
      return `${count(event.connections, 'connection')} left in accept queue ${event.slot}, which has no worker any more: a worker is started that serves ${event.connections === 1 ? 'it' : 'them'}, and then drains`;
    case 'portChanged':
      return `PORT of the ${event.source === 'file' ? 'environment file' : 'environment'} is not the port that graceful-run holds: the program gets PORT=${event.port}`;
    case 'messageRejected':
      return `${worker(event)} sent an invalid message: ${event.problem}`;
    case 'hookEnded':
      return `hook ${event.hook} ${event.problem === null ? 'ended' : `failed: ${event.problem},`} after ${formatDuration(event.durationMs)}${event.output.length === 0 ? '' : `: ${event.output.join(' / ')}`}`;
    case 'webhookFailed':
      return `the event ${event.about} did not arrive at the webhook after ${count(event.attempts, 'attempt')}: ${event.problem}`;
    case 'webhooksDropped':
      return `${count(event.count, 'event')} not sent to the webhook, because too many waited for it`;
    case 'hooksDropped':
      return `${count(event.count, 'hook')} not run, because too many waited for their turn`;
    case 'fileChanged':
      return `${event.path} changed`;
    case 'watchStarted':
      return `watching ${event.paths.join(', ')}`;
    case 'watchFailed':
      return `cannot watch: ${event.problem}`;
    case 'outputLost':
      return event.reason === 'tooFast'
        ? `lines are dropped, because workers write faster than ${event.path} can be written`
        : `lines are lost, because ${event.path} cannot be written: ${event.problem ?? ''}`;
    case 'outputResumed':
      return `${event.path} can be written again; ${count(event.lines, 'line')} (${event.bytes} bytes) ${event.lines === 1 ? 'is' : 'are'} missing from it`;
    case 'logRotationFailed':
      return `cannot rotate ${event.path}: ${event.problem}`;
    case 'logsReopened':
      return [
        `log files opened again: ${event.paths.length === 0 ? 'none' : event.paths.join(', ')}`,
        ...event.problems,
      ].join('; ');
    case 'internalError':
      return `this is a bug in graceful-run: please report it with this line (${event.problem})`;
  }
}

const socketChange: Readonly<
  Record<Extract<MasterEvent, { event: 'controlSocketChanged' }>['change'], (path: string) => string>
> = {
  elsewhere: (path) => `control socket is ${path}, because the preferred directories cannot be used`,
  restored: (path) => `control socket was removed, and created again as ${path}`,
  lost: (path) => `control socket ${path} was removed, and cannot be created again (every reload retries it)`,
  left: (path) => `cannot remove the control socket ${path}`,
};

const asker: Readonly<Record<Cause, string>> = {
  signal: 'a signal',
  control: 'the control socket',
  watch: 'a changed file',
  worker: 'a worker',
  schedule: 'its schedule',
  embedder: 'the embedding program',
};

const drainReason: Readonly<Record<DrainReason, string>> = {
  reload: 'a newer generation serves',
  rollback: 'its generation failed',
  stop: 'the program stops',
  scaleDown: 'fewer workers are wanted',
  replacement: 'another worker has taken its place',
  masterGone: 'its master is gone',
  signal: 'it got a signal that the master did not send, and another worker takes its place',
};

const killReason: Readonly<Record<KillReason, string>> = {
  notReady: 'it did not become ready',
  notAdmitted: 'it does not accept connections',
  rollback: 'its generation failed',
  drainTimeout: 'not drained in time',
  restartedItself: 'its own command restarted it',
  stop: 'the program stops at once',
  reload: 'a newer generation takes its place',
  scaleDown: 'fewer workers are wanted',
  replacement: 'another worker has taken its place',
  hung: 'it was hung, and has not ended by itself',
};

const adoptedHow: Readonly<Record<Extract<MasterEvent, { event: 'workerAdopted' }>['how'], string>> = {
  running: 'was already running, and was adopted because its pid file names it',
  started: 'is the process that the command started, as its pid file says',
  changed: 'has taken over, as its pid file says',
};

/** Describes a worker that is hung, with the first functions of its stack. The event has the whole stack. */
function describeHung(event: Extract<MasterEvent, { event: 'workerHung' }>): string {
  const { silentMs, boundMs, isTriggered, stack, problem, doing } = event;
  const what = isTriggered
    ? 'has said that it is hung (WATCHDOG=trigger)'
    : `is hung: it gave no sign of life for ${formatDuration(silentMs)}, and the limit is ${formatDuration(boundMs)} (watchdog)`;
  const does =
    doing === null ? '' : doing === 'runs' ? '; it uses the CPU' : `; it waits in the kernel (${doing})`;
  const where = stack.length > 0 ? `; it is in ${stack.slice(0, 5).join(' < ')}` : '';
  return `${worker(event)} ${what}${does}${where}${problem === null ? '' : `; ${problem}`}`;
}

function describeCause({ reason, figure, bound }: ReplacementCause): string {
  switch (reason) {
    case 'maxMemory':
      return `it uses ${formatBytes(figure)} of memory, more than ${formatBytes(bound)} (max_memory)`;
    case 'maxLifetime':
      return `it has reached its lifetime, at most ${formatDuration(bound)} (max_lifetime)`;
    case 'maxRequests':
      return `it has served ${figure} requests (max_requests)`;
    case 'watchdog':
      return `it gave no sign of life for ${formatDuration(figure)} (watchdog)`;
  }
}

/** Names the operation after which the reload begins. Before generation 2 that can only be the first start. */
function afterWhat(generation: number): string {
  return ` after the ${generation === 2 ? 'start' : 'reload'} that is running`;
}

/** Tells whether requests may have been cut. A killed worker cannot report what was open in it; one that never became ready had nothing open. */
function mayHaveCut({ reason, from }: Extract<MasterEvent, { event: 'workerKilled' }>): string {
  const hasServed = from !== 'starting' && reason !== 'notReady' && reason !== 'notAdmitted';
  return hasServed ? '; in-flight requests may have been cut' : '';
}

function stillDraining(event: Extract<MasterEvent, { event: 'stillDraining' }>): string {
  const { stopping, workers, leftMs } = event;
  const open = describeOpen({ ...event, isCleaningUp: (event.cleaningUp ?? 0) > 0 });
  const what = `${count(workers, 'worker')}${open === null ? '' : ` with ${open}`}`;
  const bound = `for at most ${Math.ceil(leftMs / 1_000)}s`;
  return stopping
    ? `waiting for ${what}, ${bound}; the same request again (Ctrl-C, SIGTERM, gracefulctl stop or shutdown) stops at once`
    : `${what} still draining, ${bound}`;
}

function which(release: Release | null): string {
  if (release === null) return '';
  const { changed } = release;
  return `: ${describeRelease(release)}${changed === null ? '' : changed ? ', changed' : ', unchanged'}`;
}

/** The option that binds only this address: `host (--host 127.0.0.1)`. */
function hostOption(address: string): string {
  return `host (--host ${address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')})`;
}

/** What a program waits for, which depends on others: `waits for db to serve`. A oneshot (`oneshots`) has to end with success. */
export function describeWait(programs: readonly string[], oneshots: readonly string[]): string {
  const servers = programs.filter((name) => !oneshots.includes(name));
  const waits = [
    ...(servers.length === 0 ? [] : [`for ${servers.join(', ')} to serve`]),
    ...(oneshots.length === 0 ? [] : [`for ${oneshots.join(', ')} to end with success`]),
  ];
  return `waits ${waits.join(' and ')}`;
}

/** The program that the event is about, as far as the event was published. */
function programOf(event: MasterEvent): string | null {
  return 'program' in event && typeof event.program === 'string' ? event.program : null;
}

function worker(identity: WorkerIdentity): string {
  const who = identity.pid === null ? `worker in slot ${identity.slot}` : `worker ${identity.pid}`;
  return `${who} of generation ${identity.generation}`;
}

function crash(failure: Failure | null): string {
  const error = failure === null ? null : errorOf(failure);
  return error === null ? '' : `: ${error}`;
}

function drainReport({
  served,
  migrated,
  cut,
  cleanUpsCut,
}: Extract<MasterEvent, { event: 'workerExited' }>): string {
  const parts = [
    // A server that does not speak HTTP has no requests.
    ...(served === null || served === 0 ? [] : [`${count(served, 'request')} served`]),
    ...(migrated === null || migrated === 0 ? [] : [`${count(migrated, 'connection')} moved`]),
    ...(cut === null || cut === 0 ? [] : [`${count(cut, 'connection')} cut`]),
    ...(cleanUpsCut === 0 ? [] : [`${count(cleanUpsCut, 'clean-up')} cut`]),
  ];
  return parts.map((part) => `, ${part}`).join('');
}

function processes(pids: readonly number[]): string {
  return pids.length === 1 ? `process ${pids.join()}` : `processes ${pids.join(', ')}`;
}

function describeNames(names: Extract<MasterEvent, { event: 'planChanged' }>): string {
  const parts = (['added', 'removed', 'changed'] as const).flatMap((what) =>
    names[what].length === 0 ? [] : [`${what} ${names[what].join(', ')}`],
  );
  return parts.length === 0 ? 'nothing changed' : parts.join('; ');
}
