/**
 * Puts the log and the stderr of the workers on one stream. It knows which of them wrote last, so that no line of one becomes a part of another's, and
 * decides how the lines of workers are told from the master's (docs/deployment.md, "Whose line is it?").
 */
import type { LogStream } from '../log/log.ts';
import { namesError } from '../../shared/error-line.ts';
import { escapeWorkerLine } from './escape-worker-line.ts';
import { createOverflow } from './overflow.ts';
import { loadOutputCalls } from '../system-calls/output-calls.ts';
import { newline } from './newlines.ts';

export interface SharedOutput {
  /** The stream for the log, which writes whole lines. */
  readonly log: LogStream;
  /** Passes on output of the worker of this program with this pid. With `hasPrefix` false, it is passed on as it was written, however other lines look. */
  readonly passOn: (bytes: Uint8Array, pid: number, program: string, hasPrefix: boolean) => void;
  /** The pid of the worker whose line has not ended; null if there is none. */
  readonly openLine: () => number | null;
}

/** The form of the workers' lines. */
export type WorkerLines =
  /** As they were written, byte for byte, except that `logId`, the sign of the master's own lines, is made unreadable in them. */
  | { readonly as: 'written'; readonly logId: string | null }
  /** For people: after the program's name and the worker's pid, and without sequences that move the cursor. */
  | { readonly as: 'marked'; readonly hasColours: boolean };

export interface SharedOutputParts {
  readonly stream: LogStream;
  readonly lines: WorkerLines;
  /** Called when a slow reader reads again, with the amount of the workers' output that was dropped in the meantime. */
  readonly onDropped: (bytes: number) => void;
  /** Returns how many bytes another stream of the workers' output could not write since the previous call. The log reports them with its own. */
  readonly takeOtherLostBytes?: () => number;
  /** The pid of the worker whose line on the stream has not ended. Default: null. */
  readonly openLine?: number | null;
}

/** How much a reader may leave unread before the workers' output is dropped. */
const unreadLimitBytes = 1024 * 1024;

export function shareOutput(parts: SharedOutputParts): SharedOutput {
  const { stream, lines, onDropped } = parts;
  /** The pid of the worker whose line has not ended; null if there is none. */
  let open = parts.openLine ?? null;
  const overflow = createOverflow(stream, unreadLimitBytes, onDropped);

  /** Ends the line of another writer, if it has not ended. */
  const endLineOf = (writer: number | null): void => {
    if (open !== null && open !== writer) stream.write('\n');
    open = null;
  };

  return {
    log: {
      write: (text) => {
        endLineOf(null);
        return stream.write(text);
      },
      get writableLength() {
        return stream.writableLength ?? 0;
      },
      ...(stream.whenEmpty === undefined ? {} : { whenEmpty: stream.whenEmpty }),
      takeLostBytes: () => (stream.takeLostBytes?.() ?? 0) + (parts.takeOtherLostBytes?.() ?? 0),
    },
    passOn: (bytes, pid, program, hasPrefix) => {
      if (bytes.length === 0 || !overflow.admits(bytes.length)) return;
      const isContinued = open === pid;
      endLineOf(pid);
      if (lines.as === 'written') stream.write(withoutId(bytes, lines.logId));
      else if (hasPrefix) {
        const prefix = prefixOf(`${program}[${pid}]`, lines.hasColours);
        stream.write(markLines(bytes, isContinued ? '' : prefix, prefix, lines.hasColours));
      } else stream.write(bytes);
      open = bytes.at(-1) === newline ? null : pid;
    },
    openLine: () => open,
  };
}

/**
 * Replaces the id of the log in lines of workers by dashes. So only the master can write a line with its id: not even a client can that has seen the id,
 * and makes the application log it.
 */
function withoutId(bytes: Uint8Array, id: string | null): Uint8Array {
  if (id === null) return bytes;
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const isSpelled = found.includes(id);
  // JSON can write the characters of the id as numbers.
  const isEscaped = found.includes('\\u00') && unescape(found.toString('latin1')).includes(id);
  if (!isSpelled && !isEscaped) return bytes;
  const text = found.toString('latin1').replaceAll(id, '-'.repeat(id.length));
  return Buffer.from(isEscaped ? text.replaceAll('\\u00', '\\\\u00') : text, 'latin1');
}

function unescape(text: string): string {
  return text.replace(/\\u00([0-7][0-9a-f])/gi, (_sequence, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function prefixOf(writer: string, hasColours: boolean): string {
  return hasColours ? `\u001B[2m${writer} |\u001B[22m ` : `${writer} | `;
}

/** Puts `first` before the first line and `next` before every other one. The text is read byte by byte, because it need not be UTF-8. */
function markLines(bytes: Uint8Array, first: string, next: string, hasColours: boolean): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const isEnded = text.endsWith('\n');
  const parts = (isEnded ? text.slice(0, -1) : text).split(/\r?\n|\r(?!$)/);
  const marked = parts.map((part, index) => {
    const safe = escapeWorkerLine(part, hasColours);
    return `${index === 0 ? first : next}${hasColours && namesError(safe) ? `\u001B[31m${safe}\u001B[39m` : safe}`;
  });
  return Buffer.from(`${marked.join('\n')}${isEnded ? '\n' : ''}`, 'latin1');
}

/** The output of a master that runs inside another program: bytes are passed on to a stream of that program, as they were written. */
export function embeddedOutput(open: () => LogStream): SharedOutput['passOn'] {
  let output: SharedOutput | null = null;
  // The calls are loaded long before a worker writes. If they cannot be loaded, the listener cannot be opened either, and that error is reported.
  loadOutputCalls().catch(() => undefined);
  return (...written) => {
    const stream = open();
    output ??= shareOutput({
      stream,
      lines: { as: 'written', logId: null },
      onDropped: (dropped) => {
        stream.write(
          `graceful-run: ${dropped} bytes of the workers' output were dropped because the reader was too slow\n`,
        );
      },
    });
    output.passOn(...written);
  };
}
