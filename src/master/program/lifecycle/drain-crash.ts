/** Whether a worker that was draining has crashed instead of ending as asked, as a Failure. Pure. */
import { describeOutcome } from '../../../shared/describe-failure.ts';
import type { Failure, WorkerPhase } from '../../../shared/events.ts';
import type { WorkerEnd } from './inputs.ts';

/** Signals that a draining worker gets only if something is wrong: from the kernel, or from its own abort(3). */
const fatalSignals: ReadonlySet<string | null> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGKILL',
  'SIGSEGV',
  'SIGTRAP',
]);

/** Null: it ended as asked, be it by the signal that asked, or with the code of a shell for that (128 and more). */
export function drainCrash(from: WorkerPhase, { outcome, failure }: WorkerEnd): Failure | null {
  if (outcome === null || (from !== 'draining' && from !== 'ready')) return null;
  const { code, signal } = outcome;
  const isCrash = code === null ? fatalSignals.has(signal) : code > 0 && code < 128;
  if (!isCrash) return null;
  return { ...failure, message: `the worker ended with ${describeOutcome(outcome)} while it drained` };
}
