/**
 * How load spreads over the workers, and what that is worth: workers that share one listener, workers with a listener each (--reuse-port),
 * and node:cluster, whose primary hands out connections in turn. All run at the same time and are measured alternately.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../test/helpers/eventually.ts';
import { firstAnswer } from '../answers.ts';
import type { OwnEffort } from '../effort.ts';
import { runWrk } from '../load-tools.ts';
import { cluster } from '../peers/cluster.ts';
import { reusePort, sharedListener } from '../peers/graceful-run.ts';
import type { RunningTool, Tool } from '../peers/tool.ts';
import { processorUs } from '../proc.ts';
import { isMeasured, type NotMeasured, type SpreadResult } from './results.ts';

const sides: readonly Tool[] = [sharedListener, reusePort, cluster];
const workerCounts = [2, 4];
const warmUpMs = 1_000;
/** The time from the start of wrk until its connections are usually open. */
const openMs = 500;
const connectionsOfWrk = 32;

interface Figures {
  readonly keepAlive: number[];
  readonly processorUs: number[];
  readonly close: number[];
  readonly connections: number[][];
  readonly requests: number[][];
}

export async function measureSpread(effort: OwnEffort): Promise<readonly SpreadResult[] | NotMeasured> {
  const results: SpreadResult[] = [];
  for (const workers of workerCounts) {
    const figures = sides.map(noFigures);
    for (let round = 0; round < effort.spreadRounds; round += 1) {
      const problem = await measureRound(workers, round, effort, figures);
      if (problem !== null) return problem;
    }
    results.push(...sides.map(({ name }, at) => ({ workers, name, ...(figures[at] ?? noFigures()) })));
  }
  return results;
}

const noFigures = (): Figures => ({
  keepAlive: [],
  processorUs: [],
  close: [],
  connections: [],
  requests: [],
});

async function measureRound(
  workers: number,
  round: number,
  { spreadMs, spreadTurns }: OwnEffort,
  figures: readonly Figures[],
): Promise<NotMeasured | null> {
  const running: RunningTool[] = [];
  try {
    for (const side of sides) running.push(await side.start({ workers }));
    for (const { port } of running) await runWrk(port, warmUpMs);
    for (let turn = 0; turn < spreadTurns; turn += 1)
      // The order changes, so that no side always follows the same other one.
      for (const at of inTurn([...sides.keys()], round + turn)) {
        const [one, own] = [running[at], figures[at]];
        if (one === undefined || own === undefined) continue;
        const kept = await keepAlive(one, spreadMs);
        const closed = isMeasured(kept) ? await newConnections(one, spreadMs) : kept;
        if (!isMeasured(kept) || !isMeasured(closed)) return isMeasured(closed) ? null : closed;
        own.keepAlive.push(kept.rate);
        own.processorUs.push(kept.processorUs);
        if (kept.counts.length > 0) own.connections.push([...kept.counts]);
        own.close.push(closed.rate);
        own.requests.push([...closed.counts]);
      }
    return null;
  } finally {
    for (const tool of running) await tool.stop();
  }
}

interface Measured {
  /** Requests per second. */
  readonly rate: number;
  /** The number for each worker, the greatest first. */
  readonly counts: readonly number[];
}

interface KeepAliveMeasured extends Measured {
  /** The processor time of all workers for each request. */
  readonly processorUs: number;
}

async function keepAlive(tool: RunningTool, durationMs: number): Promise<KeepAliveMeasured | NotMeasured> {
  await eventually('connections of the last run closed', () => connectionsOn(tool.port).size === 0);
  const usedBefore = usedBy(tool);
  const running = runWrk(tool.port, durationMs);
  const counts = await spreadOf(tool, running);
  const done = await running;
  if (!isMeasured(done)) return done;
  return {
    rate: (done.requests / done.durationMs) * 1_000,
    counts,
    processorUs: (usedBy(tool) - usedBefore) / done.requests,
  };
}

/** Returns how many of the connections of wrk each worker has, once the workers have accepted all; empty if `over` resolves before. */
async function spreadOf(tool: RunningTool, over: Promise<unknown>): Promise<readonly number[]> {
  const isOver = over.then(() => true);
  while (!(await Promise.race([isOver, pause(openMs, false)]))) {
    const counts = openOf(tool);
    if (counts.reduce((sum, count) => sum + count, 0) === connectionsOfWrk) return counts;
  }
  return [];
}

/** Returns the processor time that all workers have used so far, in microseconds. */
function usedBy(tool: RunningTool): number {
  return tool.workerPids().reduce((sum, pid) => sum + processorUs(pid), 0);
}

/** Measures requests on new connections. Another client beside the load finds out which worker answers how many of its requests. */
async function newConnections({ port }: RunningTool, durationMs: number): Promise<Measured | NotMeasured> {
  const running = runWrk(port, durationMs, ['Connection: close']);
  const answers = new Map<string, number>();
  const over = running.then(() => true);
  await pause(openMs / 2);
  while (!(await Promise.race([over, Promise.resolve(false)]))) {
    const pid = await firstAnswer(port, () => true);
    answers.set(pid, (answers.get(pid) ?? 0) + 1);
  }
  const done = await running;
  const counts = [...answers.values()].sort((one, other) => other - one);
  return isMeasured(done) ? { rate: (done.requests / done.durationMs) * 1_000, counts } : done;
}

/** Returns how many connections each worker has, the greatest number first. */
function openOf(tool: RunningTool): readonly number[] {
  const ofPort = connectionsOn(tool.port);
  return tool
    .workerPids()
    .map((pid) => socketsOf(pid).filter((socket) => ofPort.has(socket)).length)
    .sort((one, other) => other - one);
}

/** Returns the inodes of the established connections to a port of this machine (proc(5)). */
function connectionsOn(port: number): ReadonlySet<string> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => readFileSync(path, 'utf8').split('\n'));
  return new Set(
    rows
      .map((row) => row.trim().split(/\s+/))
      .flatMap(([, address = '', , state, , , , , , inode = '']) =>
        address.endsWith(local) && state === '01' ? [inode] : [],
      ),
  );
}

/** Returns the inodes of the sockets that a process has open. */
function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1] ?? [];
    } catch {
      return []; // The descriptor was closed meanwhile.
    }
  });
}

function inTurn<Value>(values: readonly Value[], turn: number): readonly Value[] {
  const first = turn % values.length;
  return [...values.slice(first), ...values.slice(0, first)];
}
