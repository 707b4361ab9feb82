// 100 programs with 3 workers each under one master: everything starts, is replaced by reloads and stops, an update of one program replaces only that, nothing is
// left over, and at rest nothing happens.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Status } from '../../src/shared/control-api.ts';
import { eventually } from '../helpers/eventually.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';

const programs = 100;
const workers = 3;
/** Node.js servers; the others are small programs without an address, so that the machine of a test can run all of them. */
const servers = 10;

/** `version`: a variable of the first program. */
function configOf(version = '1'): string {
  const names = Array.from({ length: programs }, (_, at) => `app-${at}`);
  return [
    '[master]\nname = "many"',
    `[defaults]\nworkers = ${workers}\nprobation = "0s"\nready_timeout = "60s"\nstartsecs = "0s"`,
    ...names.map((name, at) =>
      [
        `[program.${name}]`,
        ...(at === 0 ? [`environment = { VERSION = "${version}" }`] : []),
        ...(at < servers
          ? [`command = ${JSON.stringify(app('serves'))}`, 'listen = ["127.0.0.1:0"]']
          : ['command = ["sleep", "100000"]', 'type = "worker"']),
      ].join('\n'),
    ),
  ].join('\n');
}

function field(pid: number, file: string, name: string): number {
  return Number(
    new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1],
  );
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
const memoryBytes = (pid: number): number => field(pid, 'status', 'VmRSS') * 1024;
/** How often the main thread has gone to sleep, and so was woken. */
const sleeps = (pid: number): number => field(pid, `task/${pid}/status`, 'voluntary_ctxt_switches');

/** Resolves when the workers of this generation are the only ones, in all programs. */
async function onlyGeneration(master: RunningMaster, generation: number): Promise<void> {
  await eventually(
    `all programs serve with generation ${generation}`,
    () => master.all('generationReady', { generation }).length === programs,
    60_000,
  );
  const isOld = (event: { readonly generation: number }): boolean => event.generation < generation;
  await eventually(
    'the old workers are gone',
    () => master.all('workerExited', isOld).length === master.all('workerStarted', isOld).length,
    60_000,
  );
}

test('100 programs with 3 workers each start, are reloaded, updated and stop; nothing leaks, and at rest the master sleeps', async () => {
  const file = join(temporaryFolder(), 'many.toml');
  writeFileSync(file, configOf());
  const flags = ['-c', file, '--log-level', 'debug', '--log-format', 'json'];
  const master = runMaster({ name: 'many', hasOwnFlags: false, flags, command: [] });
  await onlyGeneration(master, 1);
  const { pid } = master;
  const before = { descriptors: descriptors(pid), memory: memoryBytes(pid) };
  // V8 collects the garbage of a reload within ten seconds.
  const grownBy = (): number => memoryBytes(pid) - before.memory;
  for (const generation of [2, 3, 4]) {
    master.signal('SIGHUP');
    await onlyGeneration(master, generation);
    await eventually('no descriptor is left over', () => descriptors(pid) <= before.descriptors);
    await eventually('the memory is back', () => grownBy() < 10 * 1024 * 1024, 20_000);
  }
  expect(master.all('workerStarted')).toHaveLength(4 * programs * workers);
  expect(master.all('workerFailed')).toEqual([]);
  for (const { port } of master.all('listenerBound'))
    expect((await whoAnswers(port ?? 0)).generation).toBe(4);

  const env = { XDG_RUNTIME_DIR: master.runtime };
  const status = await gracefulctl(['status', '--json'], env);
  expect(status.code).toBe(0);
  const shown = status.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Status);
  expect(shown.map(({ program }) => program)).toEqual(
    Array.from({ length: programs }, (_, at) => `app-${at}`),
  );
  const pids = new Set(master.all('workerStarted', { generation: 4 }).map((event) => event.pid));
  expect(new Set(shown.flatMap((program) => program.workers.map((worker) => worker.pid)))).toEqual(pids);

  writeFileSync(file, configOf('2'));
  const update = await gracefulctl(['update', '--json'], env);
  expect(update.code).toBe(0);
  expect(JSON.parse(update.out)).toMatchObject({
    result: { programs: [{ program: 'app-0', done: 'reloaded', problem: null }] },
  });
  await eventually(
    'the old workers of the program are gone',
    () => master.all('workerExited', { generation: 4 }).length === workers,
  );
  expect(master.all('workerStarted')).toHaveLength((4 * programs + 1) * workers);
  await eventually('no descriptor is left over', () => descriptors(pid) <= before.descriptors);

  // A reload leaves things behind: V8 collects its garbage until it is 10 s old. So a later window counts.
  const counts: number[] = [];
  while (counts.length < 4 && (counts.at(-1) ?? 3) > 2) {
    const slept = sleeps(pid);
    await pause(5_000);
    counts.push(sleeps(pid) - slept);
  }
  expect(counts.at(-1)).toBeLessThanOrEqual(2);

  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect(master.all('stopped')).toHaveLength(programs);
  expect(master.processes()).toEqual([]);
}, 240_000);
