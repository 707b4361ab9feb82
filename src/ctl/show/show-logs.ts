/** `gracefulctl logs`: prints the lines that workers have written and, with --follow, each new line as it is written. */
import { type LogRecord, programRoute } from '../../shared/control-api.ts';
import { cutOff, refused, unanswered } from '../../shared/ask-master.ts';
import { openControl } from '../../shared/control-client.ts';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { printable } from '../../shared/printable.ts';
import { renderError } from '../../shared/render-error.ts';
import { parseJson, readLogRecord } from '../../shared/schemas/answer-schemas.ts';
import type { LogsWanted, Request } from '../command-line.ts';
import { type ExitCode, exitCodeOf, exitCodes, worstOf } from '../ctl-exit-codes.ts';
import { choosePrograms } from '../masters/choose.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Terminal } from '../output-streams.ts';
import type { Styles } from './status-view.ts';

const action = 'show the logs';
/** The length of the longest line that a master keeps, escaped. */
const lineLimit = 8 * 1024 * 1024;

/** Prints the logs of one program after the other; with `follow`, of all programs at once. */
export async function showLogs(
  request: Request,
  wanted: LogsWanted & { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { found, missing } = await choosePrograms(request, 'any');
  const [first] = missing;
  if (found.length === 0 && first !== undefined) throw first.error;
  for (const { error } of missing) terminal.err(`${renderError(error, 'gracefulctl')}\n`);
  const show = async (program: FoundProgram): Promise<ExitCode> => {
    const print = printerFor(found.length === 1 ? null : program.label, wanted.json, terminal);
    try {
      await readLogs(program, wanted, print);
      return exitCodes.done;
    } catch (error) {
      if (found.length === 1 && missing.length === 0) throw error;
      terminal.err(`${renderError(error, 'gracefulctl')}\n`);
      return exitCodeOf(error);
    }
  };
  const codes: ExitCode[] = missing.map(({ error }) => exitCodeOf(error));
  if (wanted.follow) codes.push(...(await Promise.all(found.map(show))));
  else for (const program of found) codes.push(await show(program));
  return worstOf(codes);
}

async function readLogs(
  { master, status }: FoundProgram,
  { lines, sinceMs, stderr, follow }: LogsWanted,
  print: (line: string) => Promise<void>,
): Promise<void> {
  const query = new URLSearchParams();
  if (lines !== null) query.set('lines', String(lines));
  if (sinceMs !== null) query.set('since', String(Date.now() - sinceMs));
  if (stderr) query.set('stream', 'stderr');
  if (follow) query.set('follow', 'true');
  const route = `${programRoute(encodeURIComponent(status.program), 'logs')}?${query.toString()}`;
  const opened = await openControl({ path: master.path, method: 'GET', route });
  if ('noAnswer' in opened) throw unanswered(action, opened);
  const splitter = createLineSplitter(lineLimit);
  let refusal = '';
  for (;;) {
    const { done, value } = await opened.body.next();
    if (done === true) {
      if (value !== null) throw cutOff(action, value);
      break;
    }
    if (opened.status === 200) for (const line of splitter.add(value)) await print(line);
    else refusal += value;
  }
  if (opened.status !== 200) throw refused(action, { status: opened.status, body: refusal });
}

/**
 * Creates a function that prints one line. `label`: of the program, if there are several. A record of a newer master that this version does not know
 * is left out; with `isJson` it is printed as it arrived.
 */
export function printerFor(
  label: string | null,
  isJson: boolean,
  terminal: Pick<Terminal, 'outSlowly' | 'err' | 'styles'>,
): (line: string) => Promise<void> {
  return async (line) => {
    const record = readLogRecord(parseJson(line));
    if (record === null) {
      if (isJson) await terminal.outSlowly(`${line}\n`);
      return;
    }
    if ('notice' in record)
      terminal.err(`gracefulctl: ${label === null ? '' : `${label}: `}${printable(record.notice)}\n`);
    else if (isJson)
      await terminal.outSlowly(
        `${JSON.stringify({ ...(label === null ? {} : { program: label }), ...record })}\n`,
      );
    else await terminal.outSlowly(renderLogLine(record, label, terminal.styles));
  };
}

/**
 * Formats a line as `shop 3/4242
 * text`: generation and pid of the worker, as far as they are known.
 */
export function renderLogLine(
  { generation, worker, line }: Exclude<LogRecord, { readonly notice: string }>,
  label: string | null,
  styles: Styles,
): string {
  const origin =
    generation === null ? null : worker === null ? String(generation) : `${generation}/${worker}`;
  const words = [label, origin].filter((word) => word !== null);
  const start = words.length === 0 ? '' : `${styles.dim(`${words.join(' ')} |`)} `;
  return `${start}${printable(line)}\n`;
}
