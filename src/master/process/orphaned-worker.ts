/**
 * Workers whose master was killed. They finish their requests and end by themselves. But a worker that is stuck in an endless loop, or a helper that has
 * inherited the listener, would keep the port forever.
 */
import { readlinkSync } from 'node:fs';
import { processExists } from '../../shared/is-running.ts';
import { readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariables } from '../../shared/process-variable.ts';
import { type AnnouncedListener, env } from '../../shared/protocol.ts';
import { type DrainSignal, parseDrainSignal } from '../launch/program-drain-signal.ts';

export interface OrphanedWorker {
  readonly process: ProcessStat;
  /** What all processes of one worker have in common; null if it is not known. */
  readonly tree: string | null;
  /** The pid of its master. */
  readonly master: number;
  /** How long the worker may drain. */
  readonly drainTimeoutMs: number;
  /** How long it goes on serving before, from the death of its master on. */
  readonly rescueMs: number;
  /** The signal that tells it to drain if it is not Node.js; null if none does. */
  readonly drainSignal: Exclude<DrainSignal, 'auto' | 'none'> | null;
  /** The listeners that its master had told it of. (Its program may have asked for another address on one of their ports.) */
  readonly listeners: readonly AnnouncedListener[];
}

/** Reads a worker whose master is gone; null if it is not a worker, its master runs, or this cannot be determined. */
export function readOrphanedWorker(pid: number): OrphanedWorker | null {
  const process = readProcessStat(pid);
  const [ofMaster, ofDrain, ofRescue, signal, announced, tree = null] = readProcessVariables(pid, [
    env.master,
    env.drainTimeout,
    env.rescue,
    env.drainSignal,
    env.listeners,
    env.tree,
  ]);
  const master = Number(ofMaster ?? Number.NaN);
  const drainTimeoutMs = Number(ofDrain ?? Number.NaN);
  if (process === null || !Number.isSafeInteger(master) || !Number.isFinite(drainTimeoutMs)) return null;
  // In another PID namespace, the number of its master stands for another process.
  if (namespaceOf(pid) === null || namespaceOf(pid) !== namespaceOf('self')) return null;
  const now = readProcessStat(master);
  // The number may be that of a process that /proc hides, such as root's, if the worker has dropped its privileges.
  if (now === null && processExists(master)) return null;
  // A process with the master's number that was started after the worker is not its master. An ended one is not running any more.
  if (now !== null && now.state !== 'Z' && now.startedAt <= process.startedAt) return null;
  const drainSignal = parseDrainSignal(signal ?? 'none');
  return {
    process,
    tree,
    master,
    drainTimeoutMs,
    rescueMs: Number(ofRescue ?? 0) || 0,
    drainSignal: drainSignal === 'auto' || drainSignal === 'none' ? null : drainSignal,
    listeners: readAnnounced(announced ?? null),
  };
}

/** The listeners that are announced; none if the text is not from a master. */
function readAnnounced(text: string | null): readonly AnnouncedListener[] {
  try {
    const announced: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(announced) ? (announced as AnnouncedListener[]) : [];
  } catch {
    return [];
  }
}

function namespaceOf(pid: number | 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}
