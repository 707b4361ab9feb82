/** Carries out a command for every program or master that it names, several at a time, and reports how each ended: in a sentence, or in a line of JSON. */
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
  /** The name of the subject in a report about several. */
  readonly label: string;
  /** Whether the report names the subject even if it is the only one, because its master has others. */
  readonly isOneOfSeveral?: boolean;
  readonly run: () => Promise<Achieved>;
}

export interface Work {
  readonly jobs: readonly Job[];
  /** Whether a job may last until the requested action is done. Otherwise the master has to answer at once. */
  readonly waits: boolean;
  /** The programs whose events are shown on a terminal meanwhile. */
  readonly watched: readonly Watched[];
}

/** How many requests that wait are sent at a time: fewer than a master lets wait (docs/control-api.md). */
const mostWaiting = 100;
/**
 * How many requests that are to be answered at once are sent at a time. The time limit of an answer begins when the request is sent. Each request may
 * start workers, which compete with the master for the processors: of 100 reloads that are requested at the same moment, the last ones would be
 * answered too late.
 */
const mostPrompt = 4;

/**
 * Carries out each job, even if others fail, and writes a line as each ends. Rejects with the error of the only job, and with that of `find`, unless
 * JSON is wanted.
 */
export async function carryOut(
  command: { readonly kind: ActingCommand; readonly json: boolean },
  terminal: Terminal,
  /** The subject that the report names if `find` rejects. */
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
      const { text } = await showingProgress(watched, terminal, only.run);
      terminal.out(only.isOneOfSeveral === true ? named(only.label, text) : `${text}\n`);
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
      else terminal.out(named(label, achieved.text));
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
    // Each upgrade starts Node.js twice, and the new version has to answer in time.
    const atOnce = work.waits && kind !== 'upgrade' ? mostWaiting : mostPrompt;
    return worstOf(await inParallel(jobs, atOnce, carryOutOne));
  });
}

/** The report about one of several subjects. */
function named(label: string, text: string): string {
  return `${printable(label)}: ${text.replaceAll('\n', '\n  ')}\n`;
}

/** The lines about what a failed command did nevertheless: the difference that an update applied. */
function doneDespite(error: unknown, { styles }: Terminal): readonly string[] {
  return error instanceof OperationFailure ? error.done(styles) : [];
}

/** The error in one line; the problems of a config file are in lines below it, because each may be in another place. */
function inOneLine(error: unknown, label: string, { errStyles }: Terminal): string {
  const message = errStyles.bad(printable(messageOf(error)));
  if (!(error instanceof GracefulRunError)) return message;
  const { result, problems } = error instanceof OperationFailure ? error : { result: null, problems: [] };
  const hint = error.hint ?? (result === null ? null : `see gracefulctl status ${label}`);
  const line = hint === null ? message : `${message} (${printable(hint)})`;
  return [line, ...problems.map((problem) => describeProblemAndHint(problem))].join('\n  ');
}

/** Returns the results in the order of the items. At most `atOnce` items are worked on at the same time. */
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
