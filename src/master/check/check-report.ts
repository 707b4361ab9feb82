/** What `graceful-run --check` says: lines for people, one for each problem, or one JSON document. Pure. */
import type { PlanProblem } from '../../shared/control-api.ts';
import { reasonOf } from '../../shared/describe-failure.ts';
import { formatDuration } from '../../shared/durations.ts';
import type { Failure } from '../../shared/events.ts';
import { printable } from '../../shared/printable.ts';

/** The JSON document of `--json`. */
export interface CheckReport {
  readonly ok: boolean;
  /** The config file, an absolute path; null: the command line. */
  readonly file: string | null;
  /** Their names, in the order of the file; empty when the file cannot be read as a plan. */
  readonly programs: readonly string[];
  readonly problems: readonly PlanProblem[];
  /** Null: none was asked for. A program with a problem has none. */
  readonly candidates: readonly CandidateResult[] | null;
  /** Programs that have no candidate because of their type. Null: none was asked for. */
  readonly notStarted: readonly NotStarted[] | null;
}

/** Without an address it would do its work: send mails, change a database. */
export interface NotStarted {
  readonly program: string;
  readonly type: 'worker' | 'oneshot';
}

/** How a candidate of a program came to be ready, and how it ended. */
export interface CandidateResult {
  readonly program: string;
  readonly ready: boolean;
  /** From its start until it was ready, or had failed. */
  readonly durationMs: number;
  /** Why it did not become ready; `stderrTail` has its last lines, those on stdout as well. Null: it did. */
  readonly failure: Failure | null;
  /** What went wrong when it was stopped; null: nothing. */
  readonly stopProblem: string | null;
}

/** One line, and below it, for a candidate that failed, its hint and its last lines. */
export function candidateLines(result: CandidateResult): readonly string[] {
  const { program, ready, durationMs, failure, stopProblem } = result;
  const time = formatDuration(Math.max(1, durationMs));
  if (ready || failure === null)
    return [`${program}: ready after ${time}${stopProblem === null ? '' : `; ${stopProblem}`}`];
  return [
    `${program}: not ready after ${time}: ${printable(reasonOf(failure))}`,
    ...(failure.hint === null ? [] : [`  hint: ${printable(failure.hint)}`]),
    ...(failure.stderrTail.length === 0 ? [] : ['  its last lines:']),
    ...failure.stderrTail.map((line) => `  | ${printable(line)}`.trimEnd()),
  ];
}

export function notStartedLine({ program, type }: NotStarted): string {
  return `${program}: not started (type = "${type}")`;
}

/** The line of a check that has found nothing. `subject`: the file as it is written from here, or the command line. */
export function goodLine(subject: string, programs: number): string {
  return `${subject}: ${programs} ${programs === 1 ? 'program' : 'programs'}, nothing wrong`;
}
