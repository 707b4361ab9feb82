/** Words for a failure and for how a worker ended, shared by the log and gracefulctl. Pure. Nothing parses these texts. */
import { errorLineOf, namesError } from './error-line.ts';
import type { Failure, MasterEvent, Outcome } from './events.ts';
import { type Paint, plainPaint } from './paint.ts';
import { printable } from './printable.ts';

/** Names how a worker ended: `exit code 1` or `signal SIGKILL`. */
export function describeOutcome(outcome: Outcome): string {
  if (outcome.signal !== null) return `signal ${outcome.signal}`;
  return outcome.code === null ? 'unknown outcome' : `exit code ${outcome.code}`;
}

/** A few words that refer to a failure which another line explains. */
export function describeFailureShortly({ reason, outcome }: Failure): string {
  if (reason === 'exited' && outcome !== null) return describeOutcome(outcome);
  return {
    exited: 'ended',
    notReady: 'not ready',
    notAdmitted: 'not accepting',
    notStarted: 'not started',
    unhealthy: 'unhealthy',
    hung: 'hung',
    tooManyErrors: 'too many errors',
    superseded: 'another reload',
    requested: 'rolled back by an operator',
  }[reason];
}

/** The reason in one line: the failure's message and, if the worker's output ended with an error, that error. */
export function reasonOf(failure: Failure): string {
  const error = errorOf(failure);
  return error === null ? failure.message : `${failure.message}: ${error}`;
}

/** The error that the output of a worker ended with; null if it named none, or if the worker did not end because of it. */
export function errorOf({ reason, outcome, stderrTail }: Failure): string | null {
  // If a signal ended the worker, the error in the output did not. SIGABRT is the exception: abort(3) follows an error.
  const hasSaidWhy = reason === 'exited' && (outcome?.signal == null || outcome.signal === 'SIGABRT');
  return hasSaidWhy ? errorLineOf(stderrTail.map(printable)) : null;
}

/** The lines below the reason of a failure: its hint, and the last lines that the worker wrote, with the error in red. */
export function describeFailure(failure: Failure, paint: Paint = plainPaint): readonly string[] {
  const lines: string[] = [];
  if (failure.hint !== null) lines.push(`  hint: ${printable(failure.hint)}`);
  if (failure.stderrTail.length === 0) return lines;
  return [
    ...lines,
    '  its last lines on stderr:',
    ...failure.stderrTail
      .map(printable)
      .map((line) => `  ${paint.dim('|')} ${namesError(line) ? paint.bad(line) : line}`.trimEnd()),
  ];
}

/** The failure that an event carries, or null. */
export function failureOf(event: MasterEvent): Failure | null {
  return 'failure' in event ? event.failure : null;
}
