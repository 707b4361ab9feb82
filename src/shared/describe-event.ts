/**
 * What an event says to people: the words that the log and `gracefulctl events` share. Pure; it must not know about
 * levels or formats. Nobody parses these texts.
 */
import { formatDuration } from './durations.ts';
import { errorLineOf, namesError } from './error-line.ts';
import type { Cause, MasterEvent, Failure, Outcome, Release, WorkerIdentity } from './events.ts';
import { type Paint, plainPaint } from './paint.ts';
import type { DrainReason } from './protocol.ts';

// An `import` of node:util would load all of its lazy parts too: 2.5 MB in the master.
const { stripVTControlCharacters } = process.getBuiltinModule('node:util');

type KillReason = Extract<MasterEvent, { event: 'workerKilled' }>['reason'];

export interface DescribeOptions {
  /** Colours for the word that says how it is now. */
  readonly paint?: Paint;
  /** Without the error that the worker wrote: another line says it. */
  readonly isShort?: boolean;
}

/** One line for one event, without a full stop. Total: an event without its words does not compile. */
export function describe(
  event: MasterEvent,
  { paint = plainPaint, isShort = false }: DescribeOptions = {},
): string {
  const words = printable(sentence(event, isShort ? (failure) => failure.message : reasonOf));
  const [word, colour] = stateWords[event.event] ?? [];
  return word === undefined || colour === undefined
    ? words
    : words.replace(word, (found) => paint[colour](found));
}

/** Why, in one line: the failure's message and, if the worker's output ended with an error, that error. */
export function reasonOf(failure: Failure): string {
  const error = errorOf(failure);
  return error === null ? failure.message : `${failure.message}: ${error}`;
}

/** The error that the worker's output ended with. */
function errorOf({ reason, outcome, stderrTail }: Failure): string | null {
  // A worker that was killed did not die of what it wrote; only abort(3) is called with a reason.
  const hasSaidWhy = reason === 'exited' && (outcome?.signal == null || outcome.signal === 'SIGABRT');
  return hasSaidWhy ? errorLineOf(stderrTail.map(printable)) : null;
}

/** The word of a sentence that says how things are now, and what that means. */
const stateWords: {
  readonly [Name in MasterEvent['event']]?: readonly [word: string, meaning: keyof Paint];
} = {
  generationReady: ['serves', 'good'],
  workerReady: ['ready', 'good'],
  generationFailed: ['failed', 'bad'],
  generationRolledBack: ['failed', 'bad'],
  workerFailed: ['failed', 'bad'],
  workerRestartedItself: ['crashed', 'bad'],
  workerKilled: ['killed', 'bad'],
  watchFailed: ['cannot watch', 'bad'],
  workerDraining: ['draining', 'warn'],
  workerTerminated: ['SIGTERM', 'warn'],
};

function sentence(event: MasterEvent, why: (failure: Failure) => string): string {
  switch (event.event) {
    case 'masterStarted':
      return `graceful-run ${event.version} started, pid ${event.pid}${event.control === null ? '' : `, control socket ${event.control}`}`;
    case 'controlSocketChanged':
      return `${socketChange[event.change](event.control)}${event.problem === null ? '' : `: ${event.problem}`}`;
    case 'listenerBound':
      return `listening on ${formatUrl(event.host, event.port)}`;
    case 'listenersClosed':
      return 'listeners closed';
    case 'generationStarted':
      return `generation ${event.generation} starting with ${count(event.workers, 'worker')}${which(event.release)}`;
    case 'generationReady':
      return `generation ${event.generation} serves${event.release === null ? '' : ` (${describeRelease(event.release)})`}, ready after ${formatDuration(event.durationMs)}${
        event.probationMs === 0 ? '' : `, on probation for ${formatDuration(event.probationMs)}`
      }`;
    case 'generationSettled':
      return event.isEarly
        ? `the probation of generation ${event.generation} was cut short after ${formatDuration(event.durationMs)}`
        : `generation ${event.generation} passed its probation of ${formatDuration(event.durationMs)}`;
    case 'generationRolledBack':
      return `generation ${event.generation}${event.release === null ? '' : ` (${describeRelease(event.release)})`} failed ${formatDuration(event.durationMs)} after it began to serve, generation ${event.to} serves again: ${why(event.failure)}`;
    case 'generationFailed':
      return `generation ${event.generation}${event.release === null ? '' : ` (${describeRelease(event.release)})`} failed after ${formatDuration(event.durationMs)}${servesOn(event.serving)}: ${why(event.failure)}`;
    case 'reloadRequested':
      return `reload requested by ${asker[event.cause]}: generation ${event.generation} starts${event.pending ? ' after the reload that is running' : ''}`;
    case 'stopRequested':
      return `stop ${event.urgent ? 'at once ' : ''}requested by ${asker[event.cause]}`;
    case 'stopped':
      return event.failure === null ? 'stopped' : `gave up: ${why(event.failure)}`;
    case 'workerCountChanged':
      return `${count(event.toCount, 'worker')} wanted instead of ${event.fromCount}`;
    case 'restartScheduled':
      return `worker in slot ${event.slot} starts again ${event.delayMs === 0 ? 'at once' : `in ${formatDuration(event.delayMs)}`}, ${count(event.failures, 'failure')} in a row`;
    case 'workerStarted':
      return `${worker(event)} started`;
    case 'workerNotReadyYet':
      return `${worker(event)} not ready yet: ${event.reason}`;
    case 'workerReady':
      return `${worker(event)} ready after ${formatDuration(event.durationMs)}`;
    case 'workerLostProgram':
      return `${worker(event)} crashed: ${event.failure.message}`;
    case 'workerRestartedItself':
      return `${worker(event)} crashed and was started again by its own command: ${why(event.failure)}`;
    case 'workerPaused':
      return `${worker(event)} told to stop accepting for now, and to keep its connections`;
    case 'workerResumed':
      return `${worker(event)} told to accept again`;
    case 'workerNotPaused':
      return `${worker(event)} cannot be kept ready to take over again: ${event.problem}`;
    case 'workerAdmitted':
      return `${worker(event)} accepts connections`;
    case 'workerDraining':
      return `${worker(event)} draining: ${drainReason[event.reason]}`;
    case 'workerAcceptsNoMore':
      return `${worker(event)} no longer accepts connections`;
    case 'workerCleanUpCut':
      return `${worker(event)}: its ${event.what} had not finished at the drain timeout and were cut: let handlers end with process.exit(), or allow more time with --drain-timeout`;
    case 'stillDraining':
      return stillDraining(event);
    case 'workerTerminated':
      return `${worker(event)} asked to end with SIGTERM: still ${event.from ?? 'there'} after ${formatDuration(event.durationMs)}`;
    case 'workerKilled':
      return `${worker(event)} killed: ${killReason[event.reason]}`;
    case 'workerExited':
      return `${worker(event)} ended with ${describeOutcome(event.outcome)}${drainReport(event)}${crash(event.failure)}`;
    case 'workerFailed':
      return `${worker(event)} failed: ${why(event.failure)}`;
    case 'migrationFailed':
      return `${worker(event)} cannot move its connections to a new worker: ${event.problem}`;
    case 'undeclaredListen':
      return `${worker(event)} also listens on ${event.address}, which graceful-run does not hold: two generations cannot both bind it, so a reload fails or interrupts it; ${howToDeclare(event.address)}`;
    case 'wideListen':
      return `${worker(event)} asked for ${event.address} alone, but the listener is open to every address, and clients over IPv4 have ::ffff: before theirs: add ${hostOption(event.address)}`;
    case 'narrowListen':
      return `${worker(event)} asked for ${event.address}, but the listener is open to what the first generation asked for alone: restart the master, or name the address with --host`;
    case 'addressBusy':
      return `${event.host === null ? `port ${event.port}` : formatAddress(event.host, event.port)} is in use by another process: retrying for ${formatDuration(event.patienceMs)}`;
    case 'nameBusy':
      return `the master with pid ${event.holder} has this name and is stopping: waiting until it has ended`;
    case 'orphansKilled':
      return `killed ${processes(event.pids)}, whose master is gone and which held port ${event.port} for longer than the drain timeout`;
    case 'listenerLeftBehind':
      return `${processes(event.pids)} outlived the last worker and still had its listening socket: port ${event.port} was closed for all`;
    case 'portChanged':
      return `PORT of the ${event.source === 'file' ? 'environment file' : 'environment'} is another port than the one that is held: the program gets PORT=${event.port}`;
    case 'messageRejected':
      return `${worker(event)} sent an invalid message: ${event.problem}`;
    case 'fileChanged':
      return `${event.path} changed`;
    case 'watchStarted':
      return `watching ${event.paths.join(', ')}`;
    case 'watchFailed':
      return `cannot watch: ${event.problem}`;
    case 'internalError':
      return `this is a bug in graceful-run: please report it with this line (${event.problem})`;
  }
}

/** The program file, and the working directory where that does not contain it. */
export function describeRelease({ cwd, file }: Release): string {
  if (file === null) return cwd;
  return file.startsWith(`${cwd.replace(/\/$/, '')}/`) ? file : `${file} in ${cwd}`;
}

/** `exit code 1` or `signal SIGKILL`. */
export function describeOutcome(outcome: Outcome): string {
  if (outcome.signal !== null) return `signal ${outcome.signal}`;
  return outcome.code === null ? 'unknown outcome' : `exit code ${outcome.code}`;
}

/** What remains to be said about a failure after its reason: what to do, and the worker's last output with the error in red. */
export function describeFailure(failure: Failure, paint: Paint = plainPaint): readonly string[] {
  const lines: string[] = [];
  if (failure.hint !== null) lines.push(`  hint: ${printable(failure.hint)}`);
  if (failure.stderrTail.length === 0) return lines;
  return [
    ...lines,
    '  its last lines on stderr:',
    ...failure.stderrTail
      .map(printable)
      .map((line) => `  ${paint.dim('|')} ${namesError(line) ? paint.bad(line) : line}`.trimEnd()),
  ];
}

/** The failure that an event carries, or null. */
export function failureOf(event: MasterEvent): Failure | null {
  return 'failure' in event ? event.failure : null;
}

/** An address that a terminal makes a link of: `http://127.0.0.1:80`; for a listener on every address the one that works here. */
export function formatUrl(host: string, port: number): string {
  const isEvery = host === '::' || host === '0.0.0.0';
  return isEvery ? `http://localhost:${port} (every address)` : `http://${formatAddress(host, port)}`;
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Control characters, separators of lines and paragraphs, and what turns the direction of a text round. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/gu;

/**
 * Text from elsewhere without control characters: a worker's output must not move the cursor of whoever reads about
 * it, nor forge a line of the log.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\t', '    ').replace(unprintable, '');
}

const socketChange: Readonly<
  Record<Extract<MasterEvent, { event: 'controlSocketChanged' }>['change'], (path: string) => string>
> = {
  elsewhere: (path) => `control socket is ${path}, because the better folders cannot be used`,
  restored: (path) => `control socket was removed, and made again as ${path}`,
  lost: (path) =>
    `control socket ${path} was removed, and cannot be made again (a reload by SIGHUP tries it)`,
  left: (path) => `cannot remove the control socket ${path}`,
};

const asker: Readonly<Record<Cause, string>> = {
  signal: 'a signal',
  control: 'the control socket',
  watch: 'a changed file',
  worker: 'a worker',
  embedder: 'the embedding program',
};

const drainReason: Readonly<Record<DrainReason, string>> = {
  reload: 'a newer generation serves',
  rollback: 'its generation failed',
  stop: 'the program stops',
  scaleDown: 'fewer workers are wanted',
  masterGone: 'its master is gone',
  signal: 'it got a signal that its master did not send, and another worker takes its place',
};

const killReason: Readonly<Record<KillReason, string>> = {
  notReady: 'not ready in time',
  notAdmitted: 'it does not accept connections',
  rollback: 'its generation failed',
  drainTimeout: 'not drained in time',
  restartedItself: 'its own command has started it again',
  stop: 'the program stops now',
  reload: 'a newer generation takes its place',
  scaleDown: 'fewer workers are wanted',
};

function stillDraining(event: Extract<MasterEvent, { event: 'stillDraining' }>): string {
  const { stopping, workers, leftMs } = event;
  const open = describeOpen({ ...event, isCleaningUp: (event.cleaningUp ?? 0) > 0 });
  const what = `${count(workers, 'worker')}${open === null ? '' : ` with ${open}`}`;
  const bound = `for ${Math.ceil(leftMs / 1_000)}s at most`;
  return stopping
    ? `waiting for ${what}, ${bound}; Ctrl-C or SIGTERM again stops at once`
    : `${what} still draining, ${bound}`;
}

/** `1 request in flight, 2 connections open`, or that clean-up handlers run; null when it is not known. */
export function describeOpen({
  requests,
  connections,
  isCleaningUp,
}: {
  readonly requests: number | null;
  readonly connections: number | null;
  readonly isCleaningUp: boolean;
}): string | null {
  if (requests === null || connections === null) return null;
  const cleanUp = isCleaningUp ? ['clean-up handlers running'] : [];
  const isNothingOpen = requests === 0 && connections === 0;
  if (isCleaningUp && isNothingOpen) return cleanUp.join();
  return [
    `${count(requests, 'request')} in flight`,
    `${count(connections, 'connection')} open`,
    ...cleanUp,
  ].join(', ');
}

function which(release: Release | null): string {
  if (release === null) return '';
  const { changed } = release;
  return `: ${describeRelease(release)}${changed === null ? '' : changed ? ', changed' : ', unchanged'}`;
}

/** What a failed reload leaves behind, as a part of a sentence. */
export function servesOn(generation: number | null): string {
  return generation === null ? '' : `, generation ${generation} serves on`;
}

function howToDeclare(address: string): string {
  const port = /:(\d+)$/.exec(address)?.[1];
  return port === undefined
    ? 'paths cannot be declared yet'
    : `if it is the one that clients use, hold it with --port ${port} (a master holds one port)`;
}

/** The option that binds the address alone: `--host 127.0.0.1`. */
function hostOption(address: string): string {
  return `--host ${address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')}`;
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
    // A server that speaks no HTTP has no requests.
    ...(served === null || served === 0 ? [] : [`${count(served, 'request')} served`]),
    ...(migrated === null || migrated === 0 ? [] : [`${count(migrated, 'connection')} moved`]),
    ...(cut === null || cut === 0 ? [] : [`${count(cut, 'connection')} cut`]),
    ...(cleanUpsCut === 0 ? [] : [`${count(cleanUpsCut, 'clean-up')} cut`]),
  ];
  return parts.map((part) => `, ${part}`).join('');
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

function processes(pids: readonly number[]): string {
  return pids.length === 1 ? `process ${pids.join()}` : `processes ${pids.join(', ')}`;
}
