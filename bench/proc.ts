/** Reads /proc: the children of a process, whether it is alive, and the memory, processor time and wake-ups that it costs. */
import { readdirSync, readFileSync } from 'node:fs';
import { readProcessStat } from '../src/shared/process-stat.ts';
import { ticksPerSecond } from '../src/shared/worker-usage.ts';
import { eventually } from '../test/helpers/eventually.ts';
import { isAlive } from '../test/helpers/marked-processes.ts';

/** Returns the children of a process that have not been waited for; none if the process itself is gone. */
export function childrenOf(pid: number): readonly number[] {
  return tasksOf(pid)
    .flatMap((task) => (read(`${task}/children`) ?? '').split(' '))
    .filter((text) => text.trim() !== '')
    .map(Number);
}

/** Whether this script is a part of the process's command line. */
export function runs(pid: number, script: string): boolean {
  return (read(`/proc/${pid}/cmdline`) ?? '').includes(script);
}

/** Resolves when none of the processes is alive. */
export function allGone(pids: readonly number[], withinMs: number): Promise<void> {
  return eventually(`${pids.join(', ')} gone`, () => !pids.some(isAlive), withinMs);
}

/** Signals a process and all its descendants, parents before their children. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  const children = childrenOf(pid);
  signalOne(pid, signal);
  for (const child of children) signalTree(child, signal);
}

/** Signals a process that may be gone. */
export function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process is gone already.
  }
}

/** The resident memory of a process. */
export function residentBytes(pid: number): number {
  return numberIn(`/proc/${pid}/status`, 'VmRSS') * 1_024;
}

/** The processor time that a process has used, in microseconds; 0 if the process is gone. The kernel counts it in steps of 10 ms. */
export function processorUs(pid: number): number {
  return ((readProcessStat(pid)?.cpuTicks ?? 0) / ticksPerSecond) * 1_000_000;
}

/** The voluntary context switches of all threads (proc(5)): a thread that waits gives up the processor, and each wake-up ends one wait. */
export function wakeUpsOf(pid: number): number {
  return tasksOf(pid)
    .map((task) => numberIn(`${task}/status`, 'voluntary_ctxt_switches'))
    .reduce((sum, count) => sum + count, 0);
}

function tasksOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder).map((task) => `${folder}/${task}`);
  } catch {
    return [];
  }
}

function numberIn(path: string, name: string): number {
  const [, value] = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(read(path) ?? '') ?? [];
  return Number(value);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
