/** Measures tools that run many programs: how their cost grows with the number of programs, and what it takes to operate all of them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ProgramsEffort } from '../effort.ts';
import { inRounds } from '../peers/rounds.ts';
import { residentBytes, wakeUpsOf } from '../proc.ts';
import { median } from '../statistics.ts';
import { untilAllAnswer } from './all-answer.ts';
import { freePorts } from './free-ports.ts';
import { gracefulRun } from './graceful-run.ts';
import { type Manager, type ProgramToRun, type RunningManager } from './manager.ts';
import { measureChanges, measureReload, measureStop, timed } from './operate.ts';
import { pm2 } from './pm2.ts';
import type { ProgramsResults, ProgramsTurn, SizeTurn } from './results.ts';
import { supervisord } from './supervisord.ts';

/** The tools, in the order of the tables. */
export const managers: readonly Manager[] = [gracefulRun, pm2, supervisord];

/** Measures every tool with programs of two workers each. */
export function measurePrograms(
  chosen: readonly Manager[],
  effort: ProgramsEffort,
): Promise<ProgramsResults> {
  return measure('many programs', chosen, effort, 2);
}

/** Measures graceful-run alone with the largest number of programs, and three workers each. That many processes take long to start. */
export function measureLargerPrograms(
  chosen: readonly Manager[],
  effort: ProgramsEffort,
): Promise<ProgramsResults> {
  const own = chosen.filter((tool) => tool === gracefulRun);
  return measure('larger programs', own, { ...effort, sizes: [effort.sizes.at(-1) ?? 1] }, 3);
}

async function measure(
  title: string,
  chosen: readonly Manager[],
  effort: ProgramsEffort,
  workers: number,
): Promise<ProgramsResults> {
  const described = chosen.map((tool) => ({ name: tool.name, version: tool.version(), setup: tool.setup }));
  const present = chosen.filter((_, at) => described[at]?.version !== null);
  return {
    programs: effort.sizes.at(-1) ?? 0,
    workers,
    idleMs: effort.idleMs,
    tools: described,
    outcomes: await inRounds(title, present, effort.turns, (tool) => measureOne(tool, effort, workers)),
  };
}

async function measureOne(tool: Manager, effort: ProgramsEffort, workers: number): Promise<ProgramsTurn> {
  const sizes: SizeTurn[] = [];
  const smaller = effort.sizes.slice(0, -1);
  const measureAt = async (count: number, programs: readonly ProgramToRun[]): Promise<RunningManager> => {
    console.error(`  ${count} programs`);
    const { running, size } = await startAndRest(tool, programs, effort);
    sizes.push(size);
    return running;
  };
  for (const count of smaller) {
    const running = await measureAt(count, await programsToRun(count, workers));
    try {
      await running.stop();
    } finally {
      running.remove();
    }
  }
  const programs = await programsToRun(effort.sizes.at(-1) ?? 1, workers);
  const running = await measureAt(programs.length, programs);
  try {
    return { sizes, ...(await operate(running, programs, effort)) };
  } finally {
    running.remove();
  }
}

async function programsToRun(count: number, workers: number): Promise<readonly ProgramToRun[]> {
  const first = await freePorts(count * workers);
  return Array.from({ length: count }, (_, at) => ({
    name: `app-${String(at).padStart(3, '0')}`,
    ports: Array.from({ length: workers }, (__, worker) => first + at * workers + worker),
  }));
}

async function startAndRest(
  tool: Manager,
  programs: readonly ProgramToRun[],
  { settleMs, idleMs }: ProgramsEffort,
): Promise<{ readonly running: RunningManager; readonly size: SizeTurn }> {
  const startedAt = performance.now();
  const running = await tool.start(programs);
  try {
    await untilAllAnswer(programs.flatMap(running.portsOf));
    const startMs = performance.now() - startedAt;
    await pause(settleMs);
    const masterPids = running.masterPids();
    const sum = (of: (pid: number) => number): number =>
      masterPids.map(of).reduce((total, value) => total + value, 0);
    const before = sum(wakeUpsOf);
    await pause(idleMs);
    const wakeUps = sum(wakeUpsOf) - before;
    return {
      running,
      size: { programs: programs.length, startMs, memoryBytes: sum(residentBytes), wakeUps },
    };
  } catch (error) {
    running.remove();
    throw error;
  }
}

async function operate(
  running: RunningManager,
  programs: readonly ProgramToRun[],
  { statuses, changes }: ProgramsEffort,
): Promise<Omit<ProgramsTurn, 'sizes'>> {
  const statusTimes: number[] = [];
  for (let done = 0; done < statuses; done += 1) statusTimes.push(await timed(running.status));
  const changed = programs[Math.floor(programs.length / 2)];
  if (changed === undefined) throw new Error('there is no program');
  return {
    statusMs: median(statusTimes),
    changes: await measureChanges(running, changed, changes),
    reload: await measureReload(running, programs),
    stop: await measureStop(running),
  };
}
