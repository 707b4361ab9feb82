// 100 programs with 3 workers each under one master: everything starts, is replaced by a reload and stops, nothing is left over, and at rest nothing happens.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { app, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';

const programs = 100;
const workers = 3;
/** Node.js servers; the others are small programs without an address, so that the machine of a test can run all of them. */
const servers = 10;

function configOf(): string {
  const names = Array.from({ length: programs }, (_, at) => `app-${at}`);
  return [
    '[master]\nname = "many"',
    `[defaults]\nworkers = ${workers}\nprobation = "0s"\nready_timeout = "60s"\nstartsecs = "0s"`,
    ...names.map((name, at) =>
      [
        `[program.${name}]`,
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

test('100 programs with 3 workers each start, are reloaded and stop; nothing leaks, and at rest the master sleeps', async () => {
  const file = join(temporaryFolder(), 'many.toml');
  writeFileSync(file, configOf());
  const flags = ['-c', file, '--log-level', 'debug', '--log-format', 'json'];
  const master = runMaster({ name: 'many', hasOwnFlags: false, flags, command: [] });
  await onlyGeneration(master, 1);
  const { pid } = master;
  const before = { descriptors: descriptors(pid), memory: memoryBytes(pid) };
  master.signal('SIGHUP');
  await onlyGeneration(master, 2);
  expect(master.all('workerStarted')).toHaveLength(2 * programs * workers);
  expect(master.all('workerFailed')).toEqual([]);
  await eventually('no descriptor is left over', () => descriptors(pid) <= before.descriptors);
  // V8 collects the garbage of the reload within ten seconds.
  const grownBy = (): number => memoryBytes(pid) - before.memory;
  await eventually('the memory is back', () => grownBy() < 10 * 1024 * 1024, 20_000);
  for (const { port } of master.all('listenerBound'))
    expect((await whoAnswers(port ?? 0)).generation).toBe(2);

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
}, 120_000);
