/** Says why a worker failed, as a Failure: what the log, the control socket and exit messages show. Pure. */
import { formatDuration } from '../../shared/durations.ts';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import type { Failure, Outcome } from '../../shared/facts.ts';

/** What the shell knows of a worker when it fails. */
export interface LastWords {
  readonly wasReady: boolean;
  readonly stderrTail: readonly string[];
  /** Where it listened although nothing was declared there. */
  readonly undeclared: readonly string[];
  /** The ports that were declared. */
  readonly declared: readonly number[];
}

export function exitFailure(outcome: Outcome, words: LastWords): Failure {
  const how =
    outcome.signal === null ? `exited with code ${outcome.code ?? '?'}` : `was killed by ${outcome.signal}`;
  return {
    reason: 'exited',
    message: `the worker ${how} ${words.wasReady ? 'although nobody asked it to' : 'before it was ready'}`,
    hint: exitHint(outcome, words),
    errorCode: null,
    outcome,
    stderrTail: words.stderrTail,
  };
}

export function notReadyFailure(timeoutMs: number, words: LastWords): Failure {
  return {
    reason: 'notReady',
    message: `the worker was not ready within ${formatDuration(timeoutMs)}`,
    hint: undeclaredHint(words) ?? notReadyHint(words),
    errorCode: null,
    outcome: null,
    stderrTail: words.stderrTail,
  };
}

export function notStartedFailure(error: unknown): Failure {
  return {
    reason: 'notStarted',
    message: messageOf(error),
    hint: error instanceof GracefulRunError ? error.hint : null,
    errorCode: error instanceof GracefulRunError ? error.code : null,
    outcome: null,
    stderrTail: [],
  };
}

function exitHint(outcome: Outcome, words: LastWords): string | null {
  if (words.wasReady) return null;
  if (words.stderrTail.some((line) => line.includes('EADDRINUSE'))) {
    return 'it binds an address that is taken: its port must be the one of --port (a second port is still held by the generation before), and the process that listens must be the one that is started (node --import tsx app.ts, not tsx app.ts)';
  }
  if (outcome.code === 0) return 'it ended by itself: is this a server, and does it stay in the foreground?';
  return undeclaredHint(words) ?? (words.stderrTail.length > 0 ? lastWordsHint : silentHint);
}

const lastWordsHint = 'the last lines that it wrote to stderr say why';
const silentHint = 'it wrote nothing to stderr: run the command by itself to see why';

function undeclaredHint({ undeclared, declared }: LastWords): string | null {
  if (undeclared.length === 0) return null;
  return `it listened on ${undeclared.join(', ')}, but ${declared.join(', ')} is declared: give --port the port of the program, or let the program listen on process.env.PORT`;
}

function notReadyHint({ declared }: LastWords): string {
  return `ready is when it listens on ${declared.join(', ')} (and has called worker.ready(), where it said ready: 'manual'); a slow start needs a longer --ready-timeout`;
}
