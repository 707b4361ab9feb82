/** Renders the status for a person. It owns the layout, and is given the colours and the time. */
import { isDeepStrictEqual } from 'node:util';
import type {
  EmptySlot,
  PendingRestart,
  ReloadResult,
  ScheduleStatus,
  RolloutStatus,
  Status,
  WorkerCrash,
  WorkerStatus,
} from '../../shared/control-api.ts';
import type { RequestCounts } from '../../shared/events.ts';
import { count, describeOpen } from '../../shared/count-words.ts';
import { describeFailure, describeOutcome, reasonOf } from '../../shared/describe-failure.ts';
import { describeRelease, except, servesOn } from '../../shared/describe-release.ts';
import { describeAddress } from '../../shared/format-address.ts';
import { printable } from '../../shared/printable.ts';
import { formatDuration } from '../../shared/durations.ts';
import { type Paint, plainPaint } from '../../shared/paint.ts';
import { align } from './columns.ts';
import type { Usage } from './process-usage.ts';

/** The colours of a text; `plain` leaves it as it is. */
export type Styles = Paint;

export const plain: Styles = plainPaint;

/** Requests per second, and those of them that were answered with a status of 500 to 599. */
export interface Rates {
  readonly requests: number;
  readonly errors: number;
}

/** The lines of `gracefulctl status NAME`, joined, with a final line break. `nowMs` is in milliseconds since 1970. */
export function renderStatus(
  status: Status,
  nowMs: number,
  styles: Styles,
  usage: Usage | null = null,
  /** The rates of the workers, by pid. */
  rates: ReadonlyMap<number, Rates> = new Map(),
  /** The name of the program on the command line, for hints. */
  label: string = status.program,
): string {
  const { master } = status;
  const inFile = master.file === null ? '' : `, ${printable(master.file)}`;
  const facts: readonly (readonly [string, string])[] = [
    ['program', printable(status.program)],
    ...(status.group === null ? [] : ([['group', printable(status.group)]] as const)),
    ['state', renderState(status, styles)],
    ...(status.rollout === null ? [] : ([['rollout', renderRollout(status.rollout)]] as const)),
    ...(status.probation === null
      ? []
      : ([['probation', renderProbation(status.probation, status.generation)]] as const)),
    ...(status.schedule === null ? [] : ([['schedule', renderSchedule(status.schedule, nowMs)]] as const)),
    ...(status.waitsFor.length === 0
      ? []
      : ([['waits for', status.waitsFor.map(printable).join(', ')]] as const)),
    ...(status.release === null ? [] : ([['release', printable(describeRelease(status.release))]] as const)),
    ['command', printable(status.command.join(' '))],
    [
      'master',
      `pid ${master.pid}, up ${formatAge(master.uptimeMs)}, graceful-run ${printable(master.version)}${inFile}`,
    ],
    ...(status.listeners.length === 0 ? [] : ([['listeners', renderListeners(status)]] as const)),
    ...(usage === null
      ? []
      : ([['usage', `${formatBytes(usage.memoryBytes)} of memory, ${usage.cpuPercent}% of a CPU`]] as const)),
    ...(status.listeners.length > 0 &&
    status.workers.some(({ capabilities }) => capabilities?.isGated === false)
      ? ([['capability', withoutGate]] as const)
      : []),
    ...(status.orphans === null ? [] : ([['served by', renderOrphans(status.orphans)]] as const)),
    ...(hasNoWorkers(status) ? [] : ([['workers', renderCount(status)]] as const)),
  ];
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = [
    ...facts.map(([name, value]) => `${styles.dim(name.padEnd(width))}${value}`),
    ...renderWorkers(status, rates, styles).map((line) => `  ${line}`),
    ...status.restarts.map((restart) => `  ${styles.bad(renderRestart(restart))}`),
    ...status.emptySlots.map((slot) => `  ${styles.bad(renderEmptySlot(slot))}`),
    ...(status.schedule === null ? [] : renderLastRun(status.schedule, nowMs, styles)),
    ...renderErrors(status),
    ...renderNextStep({ ...status, program: label }),
    // For a program on a schedule, the result of a run that began is shown above.
    ...(status.lastReload === null || (status.schedule !== null && status.lastReload.ok)
      ? []
      : renderLast(status.lastReload, nowMs, styles)),
    ...(status.lastCrash === null ? [] : renderCrash(status.lastCrash, status.lastReload, nowMs, styles)),
  ];
  return `${lines.join('\n')}\n`;
}

const withoutGate = 'accepts connections as soon as it runs; open connections do not move at a reload';

function renderOrphans({ pids, remainingMs }: NonNullable<Status['orphans']>): string {
  const workers = `${pids.length === 1 ? 'worker' : 'workers'} ${pids.join(', ')}`;
  return `${workers}, left by a killed master, for ${formatCountdown(remainingMs)} at most`;
}

function renderListeners({ listeners }: Status): string {
  return listeners
    .map((listener) => {
      const sockets = listener.reusePort ? ' (one socket for each worker)' : '';
      return printable(`${listener.name} ${describeAddress(listener)}${sockets}`);
    })
    .join(', ');
}

/** Formats a time span with at most two units: `5s`, `3m 2s`, `3h 12m`, `4d 3h`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
  return `${Math.floor(minutes / 1_440)}d ${Math.floor(minutes / 60) % 24}h`;
}

/** Formats the time that is left, in whole seconds that have begun: `1s` is the last one. */
function formatCountdown(ms: number): string {
  return formatAge(Math.ceil(ms / 1_000) * 1_000);
}

/** Formats a size: `870 kB`, `45 MB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'] as const;
  let amount = bytes / 1_000;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1_000;
    unit += 1;
  }
  const digits = unit > 1 && amount < 9.95 ? 1 : 0;
  return `${amount.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** Whether a worker of the program accepts new connections. */
export function isServed({ generation, workers }: Status): boolean {
  return generation !== null && workers.some(({ isAccepting }) => isAccepting);
}

/** Whether a program waits for the time of its next run, and its last run had no problem. */
export function isOnSchedule({ phase, schedule }: Status): boolean {
  return phase === 'scheduled' && !hasRunBadly(schedule);
}

/** Whether the last run failed, or took too long. */
export function hasRunBadly(schedule: ScheduleStatus | null): boolean {
  const result = schedule?.lastRun?.result;
  return result === 'failed' || result === 'timedOut';
}

/** Renders the schedule as `0 3 * * * in Europe/Berlin, next run in 3m 2s (2026-11-27 03:00)`. */
function renderSchedule(
  { expression, timezone, nextAt, run, isPending }: ScheduleStatus,
  nowMs: number,
): string {
  const zone = timezone === null ? '' : ` in ${timezone}`;
  const next =
    nextAt === null
      ? 'no next run'
      : `next run in ${formatAge(nextAt - nowMs)} (${clockTime(nextAt, timezone)})`;
  const now = run === null ? '' : `, running for ${formatAge(nowMs - run.startedAt)}`;
  return printable(
    `${expression}${zone}, ${next}${now}${isPending ? ', another run waits for its end' : ''}`,
  );
}

function clockTime(at: number, timezone: string | null): string {
  const parts = { dateStyle: 'short', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat('sv', timezone === null ? parts : { ...parts, timeZone: timezone }).format(
    at,
  );
}

const runWords: Readonly<Record<NonNullable<ScheduleStatus['lastRun']>['result'], string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  timedOut: 'timed out',
  replaced: 'was cut short by the next one,',
  stopped: 'was stopped',
};

function renderLastRun(schedule: ScheduleStatus, nowMs: number, styles: Styles): readonly string[] {
  const { lastRun } = schedule;
  if (lastRun === null) return [];
  const { result, outcome, durationMs, startedAt } = lastRun;
  const how = outcome === null || result === 'succeeded' ? '' : ` with ${describeOutcome(outcome)}`;
  const word = hasRunBadly(schedule) ? styles.bad(runWords[result]) : runWords[result];
  const age = formatAge(nowMs - startedAt - durationMs);
  return [`last run (${age} ago): ${word}${how} after ${formatDuration(durationMs)}`];
}

/** Describes the problem of the last run in a few words; null if it had none. */
export function lastRunProblem(schedule: ScheduleStatus, nowMs: number): string | null {
  const { lastRun } = schedule;
  if (lastRun === null || !hasRunBadly(schedule)) return null;
  const how = lastRun.outcome === null ? '' : ` with ${describeOutcome(lastRun.outcome)}`;
  const age = formatAge(nowMs - lastRun.startedAt - lastRun.durationMs);
  return `last run ${runWords[lastRun.result]} ${age} ago${how}`;
}

function renderState(status: Status, styles: Styles): string {
  if (status.phase === 'scheduled')
    return (isOnSchedule(status) ? styles.good : styles.bad)('scheduled, waits for its next run');
  if (status.phase === 'exited' && status.exit?.isExpected === true)
    return `${styles.good('exited')}, as expected`;
  const serves =
    status.generation === null
      ? 'no generation serves'
      : isServed(status)
        ? `generation ${status.generation} serves`
        : `no worker of generation ${status.generation} accepts connections, clients wait`;
  const colour = isServed(status) ? styles.good : styles.bad;
  return `${colour(status.phase)}, ${serves}${status.reloadPending ? ', another reload is waiting' : ''}`;
}

function renderProbation(
  { remainingMs, previous }: NonNullable<Status['probation']>,
  generation: number | null,
): string {
  return `${formatCountdown(remainingMs)} left: generation ${previous} takes over again if generation ${generation ?? '?'} fails`;
}

function renderRollout({ generation, serving, workers, isCanary, nextInMs }: RolloutStatus): string {
  const next =
    nextInMs === null ? 'the next step has started' : `the next step starts in ${formatCountdown(nextInMs)}`;
  return `generation ${generation}: ${serving} of ${count(workers, 'worker')} serving${isCanary ? ' (canary)' : ''}; ${next}`;
}

/** Whether the program has no worker, and nothing is missing: it waits for its next run, or has ended as expected. */
export function hasNoWorkers({ phase, exit, workers }: Status): boolean {
  return workers.length === 0 && (phase === 'scheduled' || (phase === 'exited' && exit?.isExpected === true));
}

function renderCount(status: Status): string {
  const paused = status.workers.filter((worker) => isPaused(worker, status)).length;
  const hung = status.workers.filter(({ state, isHung }) => state === 'ready' && isHung).length;
  const ready = status.workers.filter(({ state }) => state === 'ready').length - paused - hung;
  const others = [paused === 0 ? '' : `${paused} paused, `, hung === 0 ? '' : `${hung} hung, `].join('');
  return `${ready} ready, ${others}${status.workersWanted} wanted`;
}

/** Whether the worker belongs to the old generation and keeps its connections while the new one, or a part of it, proves itself. */
function isPaused(worker: WorkerStatus, { generation, rollout }: Status): boolean {
  const serving = rollout?.generation ?? generation;
  const isPrevious = serving !== null && worker.generation < serving;
  return isPrevious && worker.state === 'ready' && !worker.isAccepting && !worker.isHung;
}

function renderWorkers(status: Status, rates: ReadonlyMap<number, Rates>, styles: Styles): readonly string[] {
  const { workers } = status;
  if (workers.length === 0) return [];
  const rows = workers.map((worker) => [
    worker.pid === null ? '-' : String(worker.pid),
    String(worker.generation),
    String(worker.slot),
    isPaused(worker, status) ? 'paused' : worker.isHung ? 'hung' : worker.state,
    formatAge(worker.inStateMs),
    formatAge(worker.uptimeMs),
  ]);
  const [head = '', ...body] = align([['pid', 'generation', 'slot', 'state', 'in state', 'up'], ...rows]);
  const lines = body.flatMap((row, index) => {
    const worker = workers[index];
    if (worker === undefined) return [row];
    return [
      isPaused(worker, status)
        ? row.replace('paused', styles.warn)
        : row.replace(worker.state, styles[meaningOf[worker.state]]),
      ...(worker.servingPid === null ? [] : [`  its process ${worker.servingPid} serves`]),
      ...renderOtherRelease(worker).map(styles.bad),
      ...renderDrain(worker),
      ...renderLoad(worker, (worker.pid === null ? null : rates.get(worker.pid)) ?? null),
    ];
  });
  return [styles.dim(head), ...lines];
}

function renderOtherRelease({ otherRelease }: WorkerStatus): readonly string[] {
  return otherRelease === null
    ? []
    : [`  runs another release: ${printable(describeRelease(otherRelease))}; a reload replaces it`];
}

/** Renders what is still open in a worker that drains, and the time until the next signal. */
export function renderDrain({ draining }: WorkerStatus): readonly string[] {
  if (draining === null) return [];
  const open =
    describeOpen({ ...draining, isCleaningUp: draining.isCleaningUp === true }) ??
    'its open connections are not known';
  return [`  ${open}; next signal in ${formatAge(draining.leftMs)}`];
}

/** Renders the load of a worker if it was requested. For a worker that drains, renderDrain() shows what is open. */
function renderLoad({ load, draining }: WorkerStatus, rates: Rates | null): readonly string[] {
  if (load === null || draining !== null) return [];
  const { delayP99Ms } = load.eventLoop;
  const facts = [
    ...(rates === null
      ? []
      : [`${formatRate(rates.requests)} requests/s`, `${formatRate(rates.errors)} 5xx/s`]),
    `${count(load.connections, 'connection')} open`,
    ...(delayP99Ms === null ? [] : [`event-loop delay ${formatLag(delayP99Ms)}`]),
  ];
  return [`  ${facts.join(', ')}`];
}

/** Formats a rate: `0`, `3.4`, `1234`. */
export function formatRate(rate: number): string {
  return rate === 0 || rate >= 9.95 ? rate.toFixed(0) : rate.toFixed(1);
}

/** Formats the delay of timers: `3.1ms`, `120ms`, `1.2s`; `-` if it is not known. */
export function formatLag(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 999.5 ? `${ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0)}ms` : `${(ms / 1_000).toFixed(1)}s`;
}

const meaningOf: Readonly<Record<WorkerStatus['state'], keyof Styles>> = {
  starting: 'dim',
  ready: 'good',
  draining: 'warn',
  terminating: 'warn',
  killing: 'bad',
};

function renderRestart({ slot, failures, inMs }: PendingRestart): string {
  return `slot ${slot} starts again in ${formatDuration(inMs)}, ${count(failures, 'failure')} in a row`;
}

function renderEmptySlot({ slot, outcome, isGivenUp }: EmptySlot): string {
  const how = outcome === null ? '' : `, its worker ended with ${describeOutcome(outcome)}`;
  return `slot ${slot} stays empty${isGivenUp ? ' (crash_loop)' : ''}${how}`;
}

/** Renders the errors of the new generation beside those of the old one, while they are counted. */
function renderErrors({ errors, rollout, probation, generation }: Status): readonly string[] {
  if (errors === null) return [];
  const current = rollout?.generation ?? generation;
  const previous = rollout === null ? probation?.previous : generation;
  return [
    `errors: generation ${current ?? '-'}: ${renderRate(errors.current)}; generation ${previous ?? '-'}: ${renderRate(errors.previous)}`,
  ];
}

function renderRate({ requests, serverErrors }: RequestCounts): string {
  const share = requests === 0 ? 0 : serverErrors / requests;
  return `${serverErrors} of ${count(requests, 'request')} (${Math.round(share * 1_000) / 10}%)`;
}

/** Tells what will happen to a program that does not serve, or which command to type. */
function renderNextStep({
  program,
  phase,
  isWanted,
  retry,
  restarts,
  workers,
  exit,
}: Status): readonly string[] {
  const start = `gracefulctl start ${printable(program)}`;
  if (!isWanted && (phase === 'idle' || phase === 'stopped')) return [`to start it: ${start}`];
  if (phase === 'scheduled') return [`to run it now: ${start}`];
  if (phase === 'backoff' && retry !== null)
    return [
      `next start: in ${formatDuration(retry.inMs)}, after ${count(retry.failures, 'failure')} in a row; at once: ${start}`,
    ];
  // The time of the restart is shown above.
  if (phase === 'restarting' && restarts.length > 0) return [`to start it at once: ${start}`];
  if (phase === 'restarting') {
    const isStarting = workers.some(({ state }) => state === 'starting');
    const wait = `to wait until it serves: gracefulctl start --wait ${printable(program)}`;
    return [isStarting ? `another worker is already starting; ${wait}` : wait];
  }
  if (phase === 'failed') return [`hint: it is not started again by itself: repair it, then ${start}`];
  if (phase === 'exited')
    return [
      `its last worker ended with ${describeOutcome(exit ?? { code: null, signal: null })}; to run it again: ${start}`,
    ];
  return [];
}

function renderLast(last: ReloadResult, nowMs: number, styles: Styles): readonly string[] {
  const ago = `${formatAge(nowMs - last.endedAt)} ago`;
  const what = last.generation > 1 ? 'last start or reload' : 'start';
  const changed = last.release?.changed;
  const release = changed === true ? ', release changed' : changed === false ? ', release unchanged' : '';
  if (last.ok) {
    const ready = `generation ${last.generation} ready after ${formatDuration(last.durationMs)}`;
    // A reload with a probation has not ended before the probation is over.
    if (last.probationMs > 0 && last.generation > 1)
      return [`${what}: ${ready}, serving for ${formatAge(nowMs - last.endedAt)}${release}`];
    return [`${what} (${last.generation > 1 ? 'completed ' : ''}${ago}): ${ready}${release}`];
  }
  const why = last.failure === null ? '' : `: ${printable(reasonOf(last.failure))}`;
  return [
    `${what} (${ago}): ${failed(last, styles)}${why}`,
    ...(last.release === null ? [] : [`  its release: ${printable(describeRelease(last.release))}`]),
    ...(last.failure === null ? [] : describeFailure(last.failure, styles)),
  ];
}

/** Describes the outcome of a start or reload that failed. */
function failed(
  { generation, durationMs, rolledBackTo, serving, remaining }: ReloadResult,
  styles: Styles,
): string {
  // A start that could not begin has made no generation.
  if (generation === 0) return styles.bad('failed');
  const [outcome, rest] =
    rolledBackTo === null
      ? ['failed', servesOn(serving)]
      : [`rolled back to generation ${rolledBackTo}`, except(remaining)];
  return `generation ${generation} ${styles.bad(outcome)} after ${formatDuration(durationMs)}${rest}`;
}

/** Renders a crash. Hint and output are left out if `last`, which stands above, failed because of this crash and shows them. */
function renderCrash(
  crash: WorkerCrash,
  last: ReloadResult | null,
  nowMs: number,
  styles: Styles,
): readonly string[] {
  const { generation, slot, pid, failure } = crash;
  const who = pid === null ? `worker in slot ${slot}` : `worker ${pid}`;
  const ago = `${formatAge(nowMs - crash.endedAt)} ago`;
  return [
    `crash (${ago}): ${who} of generation ${generation} ${styles.bad('failed')}: ${printable(reasonOf(failure))}`,
    ...(isDeepStrictEqual(failure, last?.failure ?? null) ? [] : describeFailure(failure, styles)),
  ];
}
