/** The exit code of the master that the end of a program asks for. The numbers of the signals are those of this machine. */
import { constants } from 'node:os';
import type { Failure, Outcome } from '../../shared/events.ts';

/**
 * The exit code of the master after a program has ended. As in a shell, it is 128 plus the number of the signal if one ended the program. Null if the end
 * gives no code, or is not to decide the master's.
 */
export function exitCodeAfter(
  failure: Failure | null,
  outcome: Outcome | null,
  onFatal: 'stay' | 'exit' | null,
): number | null {
  const end = failure === null ? outcome : onFatal === 'exit' ? failure.outcome : null;
  if (end === null) return null;
  const signals: Readonly<Record<string, number>> = constants.signals;
  return end.code ?? (end.signal === null ? null : 128 + (signals[end.signal] ?? 0));
}
