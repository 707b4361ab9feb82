/** Follows events: one connection, read as fast as the program takes the events. */
import { refused, unanswered } from '../shared/ask-master.ts';
import { type OpenAnswer, openControl } from '../shared/control-client.ts';
import { GracefulRunError } from '../shared/errors.ts';
import type { EventRecord } from '../shared/events.ts';
import { createLineSplitter } from '../shared/line-splitter.ts';
import { parseJson } from '../shared/schemas/answer-schemas.ts';
import { readEventRecord } from '../shared/schemas/event-schemas.ts';

/**
 * The events from the moment at which the stream is opened. It can be iterated once. The iteration ends when the master ends, and leaving it
 * (`break`) closes the connection. Events of a newer master that this version does not know are left out.
 *
 * Errors of opening and of iterating: `masterNotFound`, `masterAmbiguous`, `masterUnreachable` (also if the connection breaks off, because the master
 * was killed, or because more than 1 MiB of events was not read), `masterStopped`, `programNotFound`; and the signal's reason if it is aborted.
 */
export interface EventStream extends AsyncIterable<EventRecord> {
  /**
   * Opens the stream before the iteration does: once the promise resolves, no later event is missed. A second call returns the same promise. Until
   * the stream is iterated to its end or its signal is aborted, the open connection keeps the process alive.
   */
  open(): Promise<void>;
}

const action = 'follow the events';
/** A line longer than this is an error. No event is that long. */
const lineLimit = 1024 * 1024;

/** Makes a stream that opens when it is first used. */
export function createEventStream(
  findSocket: () => Promise<string>,
  route: string,
  signal: AbortSignal | undefined,
): EventStream {
  let opening: Promise<OpenAnswer> | null = null;

  async function open(): Promise<OpenAnswer> {
    signal?.throwIfAborted();
    const opened = await openControl({
      path: await findSocket(),
      method: 'GET',
      route,
      ...(signal === undefined ? {} : { signal }),
    });
    if ('noAnswer' in opened) {
      signal?.throwIfAborted();
      throw unanswered(action, opened);
    }
    if (opened.status === 200) return opened;
    let body = '';
    for await (const text of opened.body) body += text;
    throw refused(action, { status: opened.status, body });
  }

  async function* read(): AsyncGenerator<EventRecord, undefined> {
    const { body, close } = await (opening ??= open());
    const splitter = createLineSplitter();
    try {
      for (;;) {
        const { done, value } = await body.next();
        if (done === true) {
          if (value === null) return;
          signal?.throwIfAborted();
          throw unanswered(action, value);
        }
        for (const line of splitter.add(value)) {
          const event = readEventRecord(parseJson(line));
          if (event !== null) yield event;
        }
        if (splitter.rest().length > lineLimit)
          throw new GracefulRunError('masterUnreachable', `cannot ${action}: a line has no end`);
      }
    } finally {
      close();
    }
  }

  const events = read();
  return {
    async open() {
      await (opening ??= open());
    },
    [Symbol.asyncIterator]: () => events,
  };
}
