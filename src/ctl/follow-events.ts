/** `gracefulctl events`: prints what happens, line by line, until the master stops or the reader has enough. */
import { routes } from '../shared/control-api.ts';
import { followControl } from '../shared/control-client.ts';
import { printable } from '../shared/printable.ts';
import type { EventRecord } from '../shared/events.ts';
import { createNarrator } from '../shared/narrate-events.ts';
import { createLineSplitter } from '../shared/line-splitter.ts';
import { parseJson } from '../shared/schemas/answer-schemas.ts';
import { refused, unanswered } from './ask-master.ts';
import type { FoundMaster } from './find-master.ts';
import { readEventRecord } from '../shared/schemas/event-schemas.ts';
import type { Styles } from './status-table.ts';
import type { Terminal } from './output-streams.ts';

const action = 'follow the events';
const lineLimit = 1024 * 1024;

/** Resolves when the master ends the stream because it stops. Ctrl-C ends the process as it ends any other. */
export async function followEvents(
  master: FoundMaster,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  let status = 0;
  const splitter = createLineSplitter();
  let refusal = '';
  const render = createEventRenderer(terminal.styles);
  const gap = await followControl(
    { path: master.path, method: 'GET', route: routes.events },
    (text) => {
      if (status !== 200) {
        refusal += text;
        return refusal.length <= lineLimit;
      }
      for (const line of splitter.add(text)) terminal.out(options.json ? `${line}\n` : render(line));
      return splitter.rest.length <= lineLimit;
    },
    (code) => {
      status = code;
    },
  );
  if (gap !== null) throw unanswered(action, gap);
  if (status !== 200) throw refused(action, { status, body: refusal });
}

/**
 * Renders one line of the stream after the other for a person; an event that this version does not know is shown as it came. Empty for
 * what was said before: an old worker confirms that it accepts no more when it is paused, and again when it drains.
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

/** After these, a worker may stop accepting once more, or is gone. */
const isOpenAgain: ReadonlySet<EventRecord['event']> = new Set([
  'workerResumed',
  'workerAdmitted',
  'workerExited',
  'workerFailed',
]);

/** `14:03:07.042`, in the reader's time zone. */
function clockTime(timeMs: number): string {
  const date = new Date(timeMs);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${parts.join(':')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
