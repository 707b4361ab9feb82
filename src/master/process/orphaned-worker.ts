/**
 * Workers whose master was killed. They finish their requests and end by themselves. But a worker that is stuck in an endless loop, or a helper that has
 * inherited the listener, would keep the port forever.
 */
import { readlinkSync } from 'node:fs';
import { processExists } from '../../shared/is-running.ts';
import { readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariable } from '../../shared/process-variable.ts';
import { env } from '../../shared/protocol.ts';

export interface OrphanedWorker {
  readonly process: ProcessStat;
  /** How long the worker may drain, from the death of its master on. */
  readonly drainTimeoutMs: number;
}

/** Reads a worker whose master is gone; null if it is not a worker, its master runs, or this cannot be determined. */
export function readOrphanedWorker(pid: number): OrphanedWorker | null {
  const process = readProcessStat(pid);
  const master = Number(readProcessVariable(pid, env.master) ?? Number.NaN);
  const drainTimeoutMs = Number(readProcessVariable(pid, env.drainTimeout) ?? Number.NaN);
  if (process === null || !Number.isSafeInteger(master) || !Number.isFinite(drainTimeoutMs)) return null;
  // In another PID namespace, the number of its master stands for another process.
  if (namespaceOf(pid) === null || namespaceOf(pid) !== namespaceOf('self')) return null;
  const now = readProcessStat(master);
  // The number may be that of a process that /proc hides, such as root's, if the worker has dropped its privileges.
  if (now === null && processExists(master)) return null;
  // A process with the master's number that was started after the worker is not its master. An ended one is not running any more.
  if (now !== null && now.state !== 'Z' && now.startedAt <= process.startedAt) return null;
  return { process, drainTimeoutMs };
}

function namespaceOf(pid: number | 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}
