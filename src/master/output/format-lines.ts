/** Formats a worker's lines for a log file. It works on bytes, because a string for each line would cost several times as much as writing it. Pure. */
import { isUtf8 } from 'node:buffer';
import type { LineFormat } from '../config/options/output-options.ts';
import { escapeSequences } from './escape-worker-line.ts';
import { countLines, endOfContent, endOfLine } from './newlines.ts';
import { escapeLetters, scanLines } from './scan-lines.ts';

/** The worker that lines come from. */
export interface LineOrigin {
  readonly program: string;
  readonly generation: number;
  readonly slot: number;
  /** The pid of the worker. */
  readonly worker: number;
  readonly stream: 'stdout' | 'stderr';
}

const escape = 0x1b;

export function isPlain({ stripsAnsi, hasTimestamps, isJson }: LineFormat): boolean {
  return !stripsAnsi && !hasTimestamps && !isJson;
}

/**
 * Formats lines. `bytes`: whole lines, of which the last one may not have ended. `isContinued`: the first one is the rest of a line whose beginning was
 * formatted before. `time`: as toISOString() writes it.
 */
export function formatLines(
  bytes: Uint8Array,
  format: LineFormat,
  origin: LineOrigin,
  time: string,
  isContinued: boolean,
): Uint8Array {
  const written = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = format.stripsAnsi ? withoutSequences(written) : written;
  if (format.isJson) return toJson(text, { time, ...origin }, isContinued);
  return format.hasTimestamps ? withTime(text, `${time} `, isContinued) : text;
}

/** Removes control sequences. It reads one character for each byte, because a line need not be UTF-8. */
export function withoutSequences(bytes: Buffer): Buffer {
  if (!bytes.includes(escape)) return bytes;
  return Buffer.from(bytes.toString('latin1').replaceAll(escapeSequences, ''), 'latin1');
}

function withTime(bytes: Buffer, start: string, isContinued: boolean): Uint8Array {
  const head = Buffer.from(start);
  const out = Buffer.allocUnsafeSlow(bytes.length + (countLines([bytes]) + 1) * head.length);
  let length = 0;
  for (let from = 0; from < bytes.length;) {
    if (from > 0 || !isContinued) {
      out.set(head, length);
      length += head.length;
    }
    const end = endOfLine(bytes, from);
    out.set(bytes.subarray(from, end), length);
    length += end - from;
    from = end;
  }
  return out.subarray(0, length);
}

const [backslash, zero, letterU] = [0x5c, 0x30, 0x75];
const hexDigits: Buffer = Buffer.from('0123456789abcdef');
/** By how many bytes the longest form of a byte, \u00XX, is longer. */
const escapeGrowth = 5;

function toJson(written: Buffer, fields: object, isContinued: boolean): Uint8Array {
  // JSON is UTF-8, so bytes that are not UTF-8 become U+FFFD.
  const bytes = isUtf8(written) ? written : Buffer.from(written.toString());
  const { marks, escapes } = scanLines(bytes);
  // The end of one line and the beginning of the next are written together: each call costs as much as about 100 bytes.
  const between = Buffer.from(`"}\n${JSON.stringify(fields).slice(0, -1)},"line":"`);
  const head = between.subarray(tailBytes);
  const out = Buffer.allocUnsafeSlow(bytes.length + marks.length * between.length + escapes * escapeGrowth);
  let length = 0;
  let from = 0;
  for (const mark of marks) {
    const next = mark >>> 1;
    const end = endOfContent(bytes, from, next);
    // An empty first line is only the end of one that was written before.
    const isNothing = isContinued && from === 0 && end === 0;
    if (!isNothing) {
      const start = length === 0 ? head : between;
      out.set(start, length);
      length += start.length;
      if ((mark & 1) === 0) {
        out.set(bytes.subarray(from, end), length);
        length += end - from;
      } else length = writeEscaped(bytes, from, end, out, length);
    }
    from = next;
  }
  if (length > 0) {
    out.set(between.subarray(0, tailBytes), length);
    length += tailBytes;
  }
  return out.subarray(0, length);
}

/** The length of `"}` and a newline. */
const tailBytes = 3;

/** Writes bytes with the escapes of JSON. Returns the new length of `out`. */
function writeEscaped(bytes: Uint8Array, from: number, end: number, out: Uint8Array, start: number): number {
  let length = start;
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    const letter = escapeLetters[byte] ?? 0;
    if (letter === 0) out[length++] = byte;
    else {
      out[length++] = backslash;
      out[length++] = letter;
      if (letter === letterU) {
        out[length++] = zero;
        out[length++] = zero;
        out[length++] = hexDigits[byte >> 4] ?? 0;
        out[length++] = hexDigits[byte & 15] ?? 0;
      }
    }
  }
  return length;
}
