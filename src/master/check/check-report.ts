/** What `graceful-run --check` says: lines for people, one for each problem, or one JSON document. Pure. */
import type { PlanProblem } from '../../shared/control-api.ts';
import { reasonOf } from '../../shared/describe-failure.ts';
import { formatDuration } from '../../shared/durations.ts';
import type { Failure } from '../../shared/events.ts';
import { printable } from '../../shared/printable.ts';

/** The JSON document of `--json`. */
export interface CheckReport {
  readonly ok: boolean;
  /** The absolute path of the config file, or null for the command line. */
  readonly file: string | null;
  /** The names of the programs, in the order of the file. Empty if the file cannot be read as a plan. */
  readonly programs: readonly string[];
  readonly problems: readonly PlanProblem[];
  /** The results of the candidates, or null if none was asked for. A program with a problem has no candidate. */
  readonly candidates: readonly CandidateResult[] | null;
  /** The programs that have no candidate because of their type, or null if no candidate was asked for. */
  readonly notStarted: readonly NotStarted[] | null;
}

/** A program of which no candidate is started: without an address it would do its work, such as send mails or change a database. */
export interface NotStarted {
  readonly program: string;
  readonly type: 'worker' | 'oneshot';
}

/** How a candidate of a program became ready, and how it ended. */
export interface CandidateResult {
  readonly program: string;
  readonly ready: boolean;
  /** The time from its start until it was ready or had failed. */
  readonly durationMs: number;
  /** Why it did not become ready, or null if it did. `stderrTail` has its last lines, those on stdout included. */
  readonly failure: Failure | null;
  /** What went wrong when it was stopped, or null if nothing did. */
  readonly stopProblem: string | null;
}

/** The lines about a candidate: one with its result and, if it failed, its hint and its last lines. */
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
  return `${program}: not started, because it would do its work (type = "${type}")`;
}

/** The line of a check without problems. `subject`: the file, as a path relative to the working directory, or `command line`. */
export function goodLine(subject: string, programs: number): string {
  return `${subject}: ${programs} ${programs === 1 ? 'program' : 'programs'}, nothing wrong`;
}
