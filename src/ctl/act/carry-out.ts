/** Carries a command out for everything that it names, several at a time, and says of each how it ended: in a sentence, or in a line of JSON. */
import { describeProblemAndHint } from '../../shared/describe-problem.ts';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import { printable } from '../../shared/printable.ts';
import { type ExitCode, exitCodeOf, exitCodes, worstOf } from '../ctl-exit-codes.ts';
import type { Terminal } from '../output-streams.ts';
import { OperationFailure } from '../operation-failure.ts';
import { showingProgress, type Watched } from './progress.ts';
import { type Achieved, type ActingCommand, reportOf, type Subject } from './command-report.ts';

/** The part of a command that is about one program or one master. */
export interface Job {
  readonly subject: Subject;
  /** What the subject is called where there are several. */
  readonly label: string;
  readonly run: () => Promise<Achieved>;
}

export interface Work {
  readonly jobs: readonly Job[];
  /** Whether a job may last until the requested action is done. Otherwise the master has to answer at once. */
  readonly waits: boolean;
  /** Whose events are shown on a terminal meanwhile. */
  readonly watched: readonly Watched[];
}

/** A master lets fewer requests than this wait at a time (docs/control-api.md). */
const mostWaiting = 100;
/**
 * The time in which an answer is due begins when the request is sent. Each of them may start workers, which compete with the master for
 * the processors: of 100 reloads that are asked for at the same moment, the last ones would be answered too late.
 */
const mostPrompt = 4;

/**
 * Each job is done even if others fail. A line is written as each ends. Rejects with the error of the only job, and with that of `find`,
 * unless JSON is wanted.
 */
export async function carryOut(
  command: { readonly kind: ActingCommand; readonly json: boolean },
  terminal: Terminal,
  /** What the report names if `find` rejects. */
  nothing: Subject,
  find: () => Promise<Work>,
): Promise<ExitCode> {
  const { kind, json } = command;
  const report = (subject: Subject, outcome: Parameters<typeof reportOf>[2]): void => {
    terminal.out(`${JSON.stringify(reportOf(kind, subject, outcome))}\n`);
  };
  let work: Work;
  try {
    work = await find();
  } catch (error) {
    if (!json) throw error;
    report(nothing, { error });
    return exitCodeOf(error);
  }
  const { jobs } = work;
  const watched = json ? [] : work.watched;
  const [only] = jobs;
  if (only !== undefined && jobs.length === 1 && !json) {
    try {
      terminal.out(`${(await showingProgress(watched, terminal, only.run)).text}\n`);
    } catch (error) {
      terminal.out(
        doneDespite(error, terminal)
          .map((line) => `${line}\n`)
          .join(''),
      );
      throw error;
    }
    return exitCodes.done;
  }
  const carryOutOne = async ({ subject, label, run }: Job): Promise<ExitCode> => {
    try {
      const achieved = await run();
      if (json) report(subject, { achieved });
      else terminal.out(`${printable(label)}: ${achieved.text.replaceAll('\n', '\n  ')}\n`);
      return exitCodes.done;
    } catch (error) {
      const done = doneDespite(error, terminal);
      if (!json && done.length > 0) terminal.out(`${printable(label)}: ${done.join('\n  ')}\n`);
      if (json) report(subject, { error });
      else terminal.err(`${printable(label)}: ${inOneLine(error, label, terminal)}\n`);
      return exitCodeOf(error);
    }
  };
  return showingProgress(watched, terminal, async () => {
    const atOnce = work.waits ? mostWaiting : mostPrompt;
    return worstOf(await inParallel(jobs, atOnce, carryOutOne));
  });
}

/** What a command that has failed did nevertheless: the difference that an update applied. */
function doneDespite(error: unknown, { styles }: Terminal): readonly string[] {
  return error instanceof OperationFailure ? error.done(styles) : [];
}

/** The problems of a config file stand below it: each may be somewhere else. */
function inOneLine(error: unknown, label: string, { errStyles }: Terminal): string {
  const message = errStyles.bad(printable(messageOf(error)));
  if (!(error instanceof GracefulRunError)) return message;
  const { result, problems } = error instanceof OperationFailure ? error : { result: null, problems: [] };
  const hint = error.hint ?? (result === null ? null : `see gracefulctl status ${label}`);
  const line = hint === null ? message : `${message} (${printable(hint)})`;
  return [line, ...problems.map((problem) => describeProblemAndHint(problem))].join('\n  ');
}

/** Results in the order of the items; at most `atOnce` at the same time. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  act: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const rest = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(items.length, atOnce) }, work));
  return results;
}
