/** `gracefulctl events`: prints events, line by line, until the masters stop or the reader ends it. */
import { programRoute, routes } from '../../shared/control-api.ts';
import { followControl } from '../../shared/control-client.ts';
import { printable } from '../../shared/printable.ts';
import type { EventRecord } from '../../shared/events.ts';
import { createNarrator } from '../../shared/narrate-events.ts';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { renderError } from '../../shared/render-error.ts';
import { parseJson } from '../../shared/schemas/answer-schemas.ts';
import { cutOff, refused, unanswered } from '../../shared/ask-master.ts';
import type { FoundMaster } from '../masters/find-masters.ts';
import { readEventRecord } from '../../shared/schemas/event-schemas.ts';
import { type ExitCode, exitCodeOf, exitCodes, worstOf } from '../ctl-exit-codes.ts';
import type { Request } from '../command-line.ts';
import { choosePrograms } from '../masters/choose.ts';
import { isAnswering } from '../masters/listed-masters.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Styles } from './status-view.ts';
import type { Terminal } from '../output-streams.ts';

const action = 'follow the events';
const lineLimit = 1024 * 1024;

/** Follows the programs that the words name; without a word, every master as a whole. */
export async function showEvents(
  request: Request,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { masters, wanted, found, missing } = await choosePrograms(request, 'any');
  const isEverything = wanted.words.length === 0;
  const sources = isEverything
    ? masters.filter(isAnswering).map((master) => ({ master, program: null }))
    : sourcesOf(found);
  const [first] = missing;
  if (sources.length === 0 && first !== undefined) throw first.error;
  for (const { error } of missing) terminal.err(`${renderError(error, 'gracefulctl')}\n`);
  return worstOf([
    await followEvents(sources, options, terminal),
    ...missing.map(({ error }) => exitCodeOf(error)),
  ]);
}

/** The source of an event stream: a whole master, or one of its programs. */
export interface EventSource {
  readonly master: FoundMaster;
  readonly program: string | null;
}

/** Returns the streams to follow for these programs: that of the whole master if all of its programs are selected, otherwise one for each program. */
export function sourcesOf(programs: readonly FoundProgram[]): readonly EventSource[] {
  return [...new Set(programs.map(({ master }) => master))].flatMap((master): readonly EventSource[] => {
    const own = programs.filter((program) => program.master === master);
    if (own.length === master.programs.length) return [{ master, program: null }];
    return own.map(({ status }) => ({ master, program: status.program }));
  });
}

/**
 * Follows the streams. Resolves when every master has ended its stream because it stops. Ctrl-C ends the process as it ends any other. With several
 * streams, a stream that breaks off is reported, and the other streams are still followed.
 */
async function followEvents(
  sources: readonly EventSource[],
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const [only] = sources;
  if (only !== undefined && sources.length === 1) {
    await follow(only, options, terminal);
    return exitCodes.done;
  }
  const codes = sources.map(async (source) => {
    try {
      await follow(source, options, terminal);
      return exitCodes.done;
    } catch (error) {
      terminal.err(`${renderError(error, 'gracefulctl')}\n`);
      return exitCodeOf(error);
    }
  });
  return worstOf(await Promise.all(codes));
}

async function follow(
  { master, program }: EventSource,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  let status = 0;
  const splitter = createLineSplitter();
  let refusal = '';
  const render = createEventRenderer(terminal.styles);
  const route = program === null ? routes.events : programRoute(encodeURIComponent(program), 'events');
  const gap = await followControl(
    { path: master.path, method: 'GET', route },
    (text) => {
      if (status !== 200) {
        refusal += text;
        return refusal.length <= lineLimit;
      }
      for (const line of splitter.add(text)) terminal.out(options.json ? `${line}\n` : render(line));
      return splitter.rest().length <= lineLimit;
    },
    (code) => {
      status = code;
    },
  );
  if (gap !== null) throw status === 200 ? cutOff(action, gap) : unanswered(action, gap);
  if (status !== 200) throw refused(action, { status, body: refusal });
}

/**
 * Creates a function that renders the lines of the stream for a person, one after the other. An event that this version does not know is shown as it
 * arrived. The text is empty for a repetition: an old worker confirms that it no longer accepts when it is paused, and again when it drains.
 */
export function createEventRenderer(styles: Styles): (line: string) => string {
  const narrate = createNarrator({ paint: styles });
  const closed = new Set<string>();
  return (line) => {
    const event = readEventRecord(parseJson(line));
    if (event === null) return `${printable(line)}\n`;
    if ('pid' in event && 'slot' in event) {
      const worker = `${event.generation}.${event.slot}.${event.pid ?? ''}`;
      if (event.event === 'workerAcceptsNoMore') {
        if (closed.has(worker)) return '';
        closed.add(worker);
      } else if (isOpenAgain.has(event.event)) closed.delete(worker);
    }
    const told = narrate(event);
    const first = `${styles.dim(clockTime(event.time))} ${printable(event.program)}: ${told.line}`;
    return `${[first, ...told.details].join('\n')}\n`;
  };
}

/** The events after which a worker may stop accepting once more, or is gone. */
const isOpenAgain: ReadonlySet<EventRecord['event']> = new Set([
  'workerResumed',
  'workerAdmitted',
  'workerExited',
  'workerFailed',
]);

/** Formats a time as `14:03:07.042`, in the reader's time zone. */
function clockTime(timeMs: number): string {
  const date = new Date(timeMs);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${parts.join(':')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
