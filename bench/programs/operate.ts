/** Operates a tool that runs many programs as an operator would, with its own commands: status, change of one program, reload of all, stop. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../test/helpers/eventually.ts';
import { isAlive } from '../../test/helpers/marked-processes.ts';
import { startLoad } from '../../test/helpers/strict-client.ts';
import { firstAnswer } from '../answers.ts';
import { countOf } from '../count.ts';
import { allGone } from '../proc.ts';
import { addCounts } from '../render/totals.ts';
import { median } from '../statistics.ts';
import { untilAllAnswer } from './all-answer.ts';
import { homeProcesses } from './manager-home.ts';
import { type ProgramToRun, type RunningManager, type Update } from './manager.ts';
import type { ChangeTurn, ReloadTurn, StopTurn } from './results.ts';

const patienceMs = 300_000;

export async function timed(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}

/** Measures the median of several changes. Each way to apply them is measured in turn. */
export async function measureChanges(
  running: RunningManager,
  program: ProgramToRun,
  times: number,
): Promise<readonly ChangeTurn[]> {
  const measured: ChangeTurn[] = [];
  let release = 0;
  for (const update of running.updates) {
    const turns: ChangeTurn[] = [];
    for (let done = 0; done < times; done += 1) {
      release += 1;
      turns.push(await changeOne(running, program, release, update));
    }
    measured.push({
      command: update.command,
      ms: median(turns.map(({ ms }) => ms)),
      others: median(turns.map(({ others }) => others)),
    });
  }
  return measured;
}

/** The pause between two changes. It is longer than the probation of graceful-run, so that no old worker is left with any tool. */
const betweenChangesMs = 3_000;

async function changeOne(
  running: RunningManager,
  program: ProgramToRun,
  release: number,
  { command, run }: Update,
): Promise<ChangeTurn> {
  const before = new Set(running.workerPids());
  running.edit(program, release);
  const isNew = (body: string): boolean => !before.has(Number(body));
  const startedAt = performance.now();
  const answered = Promise.all(
    running.portsOf(program).map((port) => firstAnswer(port, isNew, patienceMs)),
  ).then(() => performance.now() - startedAt);
  const [ms] = await Promise.all([answered, run(program)]);
  await pause(betweenChangesMs);
  const replaced = running.workerPids().filter((pid) => !before.has(pid)).length;
  return { command, ms, others: replaced - program.ports.length };
}

/** The number of programs that have clients during a reload of all, and how many clients of each kind there are on each of their ports. */
const programsWithClients = 4;
const clients = 4;
const paceMs = 100;

/** Measures a reload of all programs, with a few clients that never retry on some of the ports. */
export async function measureReload(
  running: RunningManager,
  programs: readonly ProgramToRun[],
): Promise<ReloadTurn> {
  const old = running.workerPids();
  const every = Math.max(1, Math.floor(programs.length / programsWithClients));
  const loads = programs
    .filter((_, at) => at % every === 0)
    .flatMap((program) => running.portsOf(program).slice(0, 1))
    .flatMap((port) =>
      (['keepAlive', 'fresh'] as const).map((mode) =>
        startLoad({
          port,
          mode,
          clients,
          paceMs,
          afterFailureMs: paceMs,
          maxMs: patienceMs,
          maxFailures: Infinity,
        }),
      ),
    );
  await Promise.all(loads.map((load) => load.moreAnswers(clients)));
  const startedAt = performance.now();
  const since = (): number => performance.now() - startedAt;
  const [newMs, oldGoneMs] = await Promise.all([
    untilAllAnswer(programs.flatMap(running.portsOf), (body) => !old.includes(Number(body))).then(since),
    allGone(old, patienceMs).then(since),
    running.reloadAll(),
  ]);
  await Promise.all(loads.map((load) => load.moreAnswers(2 * clients)));
  const tallies = await Promise.all(loads.map((load) => load.stop()));
  return { ...addCounts(tallies.map(countOf)), newMs, oldGoneMs };
}

const stopPatienceMs = 30_000;

/** Stops the tool by its command, and counts what is left of it. Logs count as files. */
export async function measureStop(running: RunningManager): Promise<StopTurn> {
  const all = [...running.masterPids(), ...running.workerPids()];
  const alive = (): readonly number[] => [
    ...new Set([...all.filter(isAlive), ...homeProcesses(running.folder)]),
  ];
  const startedAt = performance.now();
  await running.stop();
  const ms = await eventually('all processes gone', () => !all.some(isAlive), stopPatienceMs).then(
    () => performance.now() - startedAt,
    () => null,
  );
  // A process that was not known before may still be ending.
  await eventually('nothing left', () => alive().length === 0, 2_000).catch(() => undefined);
  const left = readdirSync(running.folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => !entry.isDirectory() && !running.ownFiles.includes(join(entry.parentPath, entry.name)),
  );
  const sockets = left.filter((entry) => entry.isSocket()).length;
  return { ms, processes: alive().length, sockets, files: left.length - sockets };
}
