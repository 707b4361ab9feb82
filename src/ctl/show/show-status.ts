/** `gracefulctl status` and `list`: requests the status once and prints it, one program in full or several in a table. */
import { renderError } from '../../shared/render-error.ts';
import type { ProgramState, Status } from '../../shared/control-api.ts';
import { printable } from '../../shared/printable.ts';
import type { Request } from '../command-line.ts';
import { type ExitCode, exitCodeOf, exitCodes, worstOf } from '../ctl-exit-codes.ts';
import { choosePrograms } from '../masters/choose.ts';
import { isAnswering, type ListedMaster, type SilentMaster } from '../masters/listed-masters.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Terminal } from '../output-streams.ts';
import { widthOf } from './columns.ts';
import { type Look, lookAgain, lookAtProcesses, type Usage, usageOf } from './process-usage.ts';
import { renderPrograms, type TableGroup } from './programs-table.ts';
import { isOnSchedule, isServed, type Rates, renderStatus } from './status-view.ts';

/** The processes and the chosen programs at one moment. */
export interface Sample {
  readonly look: Look;
  readonly found: readonly FoundProgram[];
}

export interface StatusOptions {
  readonly json: boolean;
  /** Whether a single program is shown in a table, too. */
  readonly asTable: boolean;
  /**
   * Returns the rates since the last sample, by pid, for a single program only. If it is given, workers are asked for their load. Default: they are
   * not asked.
   */
  readonly measure?: (sample: Sample) => ReadonlyMap<number, Rates>;
  /** Aborts the requests. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Prints the programs that the words name; without a word, all. With `json`, prints a line for each: its status as the master sent it, with
 * `memoryBytes` and `cpuPercent`, and one for each master that does not answer. A word that names nothing, or a master that does not answer, is
 * reported and decides the exit code; @throws GracefulRunError if nothing else is left to print.
 */
export async function showStatus(
  request: Request,
  options: StatusOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const first = lookAtProcesses();
  const { signal, measure } = options;
  const { masters, wanted, found, missing } = await choosePrograms(request, 'any', {
    signal,
    hasLoad: measure !== undefined,
  });
  const [failed, ...more] = missing;
  const isEverything = wanted.words.length === 0;
  const isAlone = isEverything ? masters.length === 1 : found.length === 0;
  const unknown = masters.flatMap((master) =>
    isAnswering(master) || missing.every(({ error }) => error !== master.error) ? [] : unknownLine(master),
  );
  if (failed !== undefined && more.length === 0 && isAlone) {
    if (options.json) terminal.out(unknown.join(''));
    throw failed.error;
  }
  const second = await lookAgain(first);
  const shown = found.map((program) => ({ ...program, usage: usageOf(program.status, first, second) }));
  const rates = measure?.({ look: second, found });
  const [only] = shown;
  const listed = isEverything
    ? masters
    : masters.filter((master) => shown.some((program) => program.master === master));
  if (options.json) terminal.out([...shown.map(jsonLine), ...unknown].join(''));
  else if (!options.asTable && only !== undefined && shown.length === 1 && listed.length === 1)
    terminal.out(renderStatus(only.status, Date.now(), terminal.styles, only.usage, rates, only.label));
  else if (listed.length > 0) {
    terminal.out(
      renderPrograms(
        listed.map((master) => groupOf(master, shown)),
        { ...terminal, nowMs: Date.now() },
      ),
    );
    const hint = `one of them in full: gracefulctl status ${printable(only?.label ?? '')}`;
    // Not in a pipe, where the hint would be one more line to skip. If it were cut off, it would be no command.
    if (only !== undefined && widthOf(hint) <= (terminal.columns ?? 0))
      terminal.out(`${terminal.styles.dim(hint)}\n`);
  }
  // The table has a line for a master that does not answer.
  if (options.json || !isEverything)
    for (const { error } of missing) terminal.err(`${renderError(error, 'gracefulctl')}\n`);
  // In a list of all programs, a program that was stopped, or that its master does not start by itself, is not a failure.
  const isOneOfMany = isEverything && shown.length > 1;
  const codes = [
    ...shown.map(({ status }) =>
      isServed(status) || isOnSchedule(status) || (isOneOfMany && isAtRest(status))
        ? exitCodes.done
        : exitCodes.notRunning,
    ),
    ...missing.map(({ error }) => exitCodeOf(error)),
  ];
  return codes.length === 0 ? exitCodes.notFound : worstOf(codes);
}

/** Whether a program does not run and is not wanted to run, or has done its work. */
function isAtRest({ isWanted, phase, exit }: Status): boolean {
  if (phase === 'exited') return exit?.isExpected === true;
  return !isWanted && (phase === 'idle' || phase === 'stopped');
}

type Shown = FoundProgram & { readonly usage: Usage | null };

function jsonLine({ raw, usage }: Shown): string {
  const { memoryBytes = null, cpuPercent = null } = usage ?? {};
  return `${JSON.stringify({ ...raw, memoryBytes, cpuPercent })}\n`;
}

/** Returns the line for a master that does not answer: its programs are not known. */
function unknownLine({ name, error }: SilentMaster): string {
  const { code, message, hint } = error;
  const state: ProgramState = 'UNKNOWN';
  return `${JSON.stringify({ program: null, master: { name }, state, error: { code, message, hint } })}\n`;
}

function groupOf(master: ListedMaster, shown: readonly Shown[]): TableGroup {
  if (!isAnswering(master)) return { name: master.name, answer: { problem: master.error.message } };
  const programs = shown.filter((program) => program.master === master);
  return { name: master.name, answer: { master: master.master, programs, total: master.programs.length } };
}
