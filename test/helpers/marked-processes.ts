/**
 * Finds processes by a variable in their environment, as /proc shows it: a test's own processes, whoever their
 * parents are by now. It must not know who started them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hasEnded, readProcessStat } from '../../src/shared/process-stat.ts';

export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
}

/** The living processes that were started with `name=value` in their environment. */
export function markedProcesses(name: string, value: string): readonly MarkedProcess[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(`${name}=${value}`))
    .map((pid) => ({ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }));
}

/** Is there such a process, and not merely its remains that nobody has reaped? */
export function isAlive(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== null && !hasEnded(stat);
}

/** The state of a process and of each of its threads, and where in the kernel they wait, for a failed test. */
export function describeProcess(pid: number): string {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  const lines = threads.map((thread) => {
    const folder = `/proc/${pid}/task/${thread}`;
    const states = read(`${folder}/status`).match(/^(?:Name|State|SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt):.*$/gm);
    return `${thread}: ${states?.join(', ') ?? 'gone'}, wchan ${read(`${folder}/wchan`)}, system call ${read(`${folder}/syscall`).trim()}`;
  });
  return [`process ${pid}: ${threads.length} threads`, ...lines].join('\n');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has ended meanwhile.
  }
}
