/**
 * The metrics, from the status of the programs, the counts and the processes: names, help and values. A name is that of OpenTelemetry's semantic
 * conventions, as Prometheus writes it, if there is one (process.*, nodejs.eventloop.*, http.server.*), else it begins with graceful_run_.
 */
import type { MasterStatus, Status, WorkerStatus } from '../../shared/control-api.ts';
import type { ProcessStat } from '../../shared/process-stat.ts';
import {
  cpuSecondsOf,
  ownCpuSecondsOf,
  residentBytesOf,
  workerProcesses,
} from '../../shared/worker-usage.ts';
import { bounds, type DurationCounts, type ProgramCounts, reloadOutcomes } from './event-counts.ts';

/** Everything that one scrape shows. */
export interface Scrape {
  readonly master: MasterStatus;
  /** The status of all programs, with what their workers have answered (`load`). */
  readonly programs: readonly Status[];
  readonly counts: ReadonlyMap<string, ProgramCounts>;
  readonly processes: readonly ProcessStat[];
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
}

type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** The name of the series, in a histogram. */
  readonly metricName?: string;
}

const states = ['starting', 'ready', 'draining', 'terminating', 'killing'] as const;

export function familiesOf({ master, programs, counts, processes }: Scrape): readonly Family[] {
  const counted = [...counts];
  const own = processes.find(({ pid }) => pid === master.pid);

  /** A metric with one value for each program. */
  const ofPrograms = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    value: (status: Status) => number | null,
  ): Family => ({
    name,
    type,
    help,
    values: programs.flatMap((status) => sample({ program: status.program }, value(status))),
  });

  /** A metric with one value for each program that has counts. */
  const ofCounts = (name: string, help: string, value: (counts: ProgramCounts) => number): Family => ({
    name,
    type: 'counter',
    help,
    values: counted.flatMap(([program, of]) => sample({ program }, value(of))),
  });

  /** A metric with one value for each program and each key. */
  const split = (
    name: string,
    help: string,
    label: string,
    values: (counts: ProgramCounts) => Readonly<Record<string, number>>,
  ): Family => ({
    name,
    type: 'counter',
    help,
    values: counted.flatMap(([program, of]) =>
      Object.entries(values(of)).flatMap(([key, value]) => sample({ program, [label]: key }, value)),
    ),
  });

  const workers = programs.flatMap((status) =>
    status.workers.map((worker) => ({ worker, labels: labelsOf(status, worker) })),
  );
  const ofWorkers = (
    name: string,
    help: string,
    value: (worker: WorkerStatus) => number | null | undefined,
  ): Family => ({
    name,
    type: 'gauge',
    help,
    values: workers.flatMap(({ worker, labels }) => sample(labels, value(worker) ?? null)),
  });

  const used: readonly { readonly labels: Labels; readonly members: readonly ProcessStat[] }[] = [
    ...(own === undefined ? [] : [{ labels: { role: 'master' }, members: [own] }]),
    ...workers.map(({ worker, labels }) => ({
      labels: { role: 'worker', ...labels },
      members: workerProcesses({ master, workers: [worker] }, processes),
    })),
  ].filter(({ members }) => members.length > 0);

  return [
    {
      name: 'graceful_run_build_info',
      type: 'gauge',
      help: 'The version of the master; always 1.',
      values: [{ labels: { version: master.version, master: master.name }, value: 1 }],
    },
    ofPrograms(
      'graceful_run_program_serving',
      'gauge',
      'Whether a worker accepts new connections.',
      (status) => Number(status.generation !== null && status.workers.some(({ isAccepting }) => isAccepting)),
    ),
    ofPrograms(
      'graceful_run_program_wanted',
      'gauge',
      'Whether the program is to run: it was started, and not stopped since.',
      ({ isWanted }) => Number(isWanted),
    ),
    ofPrograms(
      'graceful_run_program_generation',
      'gauge',
      'Number of the generation that serves.',
      ({ generation }) => generation,
    ),
    ofPrograms(
      'graceful_run_workers_wanted',
      'gauge',
      'Workers that are wanted.',
      (status) => status.workersWanted,
    ),
    {
      name: 'graceful_run_workers',
      type: 'gauge',
      help: 'Workers by state.',
      values: programs.flatMap(({ program, workers: all }) =>
        states.flatMap((state) =>
          sample({ program, state }, all.filter((worker) => worker.state === state).length),
        ),
      ),
    },
    ofPrograms(
      'graceful_run_last_reload_success',
      'gauge',
      'Whether the last reload or start went well.',
      ({ lastReload }) => (lastReload === null ? null : Number(lastReload.ok)),
    ),
    ofPrograms(
      'graceful_run_last_reload_timestamp_seconds',
      'gauge',
      'When the last reload or start ended, in seconds since 1970.',
      ({ lastReload }) => (lastReload === null ? null : lastReload.endedAt / 1_000),
    ),
    split(
      'graceful_run_starts_total',
      'Generations that were started while none served, by result.',
      'result',
      ({ starts }) => starts,
    ),
    split('graceful_run_reloads_total', 'Reloads by result.', 'result', ({ reloads }) =>
      Object.fromEntries(reloadOutcomes.map((outcome) => [outcome, reloads[outcome]])),
    ),
    histogram(
      'graceful_run_reload_duration_seconds',
      'How long reloads took until the new generation served.',
      counted.map(([program, { reloadTimes }]) => [program, reloadTimes]),
    ),
    histogram(
      'graceful_run_drain_duration_seconds',
      'How long workers drained until they exited.',
      counted.map(([program, { drainTimes }]) => [program, drainTimes]),
    ),
    split(
      'graceful_run_worker_failures_total',
      'Workers that ended unexpectedly, did not become ready, or could not be started, by reason.',
      'reason',
      ({ failures }) => failures,
    ),
    split(
      'graceful_run_runs_total',
      'Runs of scheduled programs by result. The skipped and missed ones did not begin.',
      'result',
      ({ runs }) => runs,
    ),
    ofCounts(
      'graceful_run_worker_restarts_total',
      'Workers that were started in place of a failed one.',
      ({ restarts }) => restarts,
    ),
    split(
      'graceful_run_replacements_total',
      'Workers that were replaced although they were ready, by reason.',
      'reason',
      ({ replacements }) => replacements,
    ),
    ofCounts(
      'graceful_run_worker_hangs_total',
      'Workers that gave no sign of life for as long as watchdog allows.',
      ({ hangs }) => hangs,
    ),
    ofCounts('graceful_run_worker_kills_total', 'Workers that got SIGKILL.', ({ kills }) => kills),
    ofCounts(
      'graceful_run_connections_migrated_total',
      'Connections of draining workers that moved to another worker.',
      ({ migrated }) => migrated,
    ),
    ofCounts(
      'graceful_run_connections_drained_total',
      'Connections of draining workers that ended by themselves.',
      ({ drained }) => drained,
    ),
    ofCounts(
      'graceful_run_connections_cut_total',
      'Connections of draining workers that were cut at the drain timeout.',
      ({ cut }) => cut,
    ),
    ofPrograms(
      'graceful_run_http_requests_total',
      'counter',
      'HTTP requests that Node.js workers have answered.',
      ({ load }) => load?.served ?? null,
    ),
    ofPrograms(
      'graceful_run_http_errors_total',
      'counter',
      'HTTP requests that Node.js workers have answered with a status of 500 to 599.',
      ({ load }) => load?.serverErrors ?? null,
    ),
    ofWorkers(
      'graceful_run_connections',
      'Open connections of a Node.js worker.',
      ({ load }) => load?.connections,
    ),
    ofWorkers(
      'http_server_active_requests',
      'HTTP/1 requests of a Node.js worker whose response is not complete.',
      ({ load }) => load?.requests,
    ),
    ofWorkers(
      'nodejs_eventloop_utilization',
      'Share of the time since the last scrape in which the event loop was busy, 0 to 1.',
      ({ load }) => load?.eventLoop.utilization,
    ),
    ...(
      [
        ['mean', 'delayMeanMs'],
        ['p99', 'delayP99Ms'],
        ['max', 'delayMaxMs'],
      ] as const
    ).map(([word, key]) =>
      ofWorkers(
        `nodejs_eventloop_delay_${word}_seconds`,
        `Event-loop delay since the last scrape: ${word}.`,
        ({ load }) => seconds(load?.eventLoop[key]),
      ),
    ),
    ofWorkers(
      'graceful_run_drain_remaining_seconds',
      'Time until a draining worker gets the next signal.',
      ({ draining }) => seconds(draining?.leftMs),
    ),
    {
      name: 'process_cpu_time_seconds_total',
      type: 'counter',
      help: 'CPU time of the master, and of each worker with the processes that it has started.',
      values: used.map(({ labels, members }) => ({
        labels,
        value: labels['role'] === 'master' ? ownCpuSecondsOf(members) : cpuSecondsOf(members),
      })),
    },
    {
      name: 'process_memory_usage_bytes',
      type: 'gauge',
      help: 'Resident memory of the master, and of each worker with the processes that it has started.',
      values: used.map(({ labels, members }) => ({ labels, value: residentBytesOf(members) })),
    },
    {
      name: 'process_uptime_seconds',
      type: 'gauge',
      help: 'How long the master and each worker have been running.',
      values: [
        { labels: { role: 'master' }, value: master.uptimeMs / 1_000 },
        ...workers.map(({ worker, labels }) => ({
          labels: { role: 'worker', ...labels },
          value: worker.uptimeMs / 1_000,
        })),
      ],
    },
  ];
}

/** The labels of a worker. They include the pid, because a worker that is being replaced has the same slot as its successor until it has drained. */
function labelsOf({ program }: Status, { generation, slot, pid }: WorkerStatus): Labels {
  return {
    program,
    generation: String(generation),
    slot: String(slot),
    ...(pid === null ? {} : { pid: String(pid) }),
  };
}

/** One sample, or none if the value is null, that is, not known. */
function sample(labels: Labels, value: number | null): readonly Sample[] {
  return value === null ? [] : [{ labels, value }];
}

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1_000;
}

function histogram(
  name: string,
  help: string,
  all: readonly (readonly [program: string, times: DurationCounts])[],
): Family {
  return {
    name,
    type: 'histogram',
    help,
    values: all.flatMap(([program, { upTo, sumSeconds }]) => [
      ...upTo.map((value, index) => ({
        metricName: `${name}_bucket`,
        labels: { program, le: index < bounds.length ? String(bounds[index]) : '+Inf' },
        value,
      })),
      { metricName: `${name}_sum`, labels: { program }, value: sumSeconds },
      { metricName: `${name}_count`, labels: { program }, value: upTo.at(-1) ?? 0 },
    ]),
  };
}
