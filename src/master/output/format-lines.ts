/** What becomes of a worker's lines on the way into a log file. Pure. */
import type { LineFormat } from '../config/output-options.ts';
import { escapeSequences } from './escape-worker-line.ts';

/** Where lines come from. */
export interface LineOrigin {
  readonly program: string;
  readonly generation: number;
  readonly slot: number;
  /** Its pid. */
  readonly worker: number;
  readonly stream: 'stdout' | 'stderr';
}

export function isPlain({ stripsAnsi, hasTimestamps, isJson }: LineFormat): boolean {
  return !stripsAnsi && !hasTimestamps && !isJson;
}

/**
 * `bytes`: whole lines, of which the last one may not have ended. `isContinued`: the first one is the rest of a line whose beginning was formatted
 * before. `time` as toISOString() writes it.
 */
export function formatLines(
  bytes: Uint8Array,
  format: LineFormat,
  origin: LineOrigin,
  time: string,
  isContinued: boolean,
): Uint8Array {
  // One character for each byte, because a line need not be UTF-8; only JSON needs characters.
  const encoding = format.isJson ? 'utf8' : 'latin1';
  const written = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding);
  const text = format.stripsAnsi ? written.replaceAll(escapeSequences, '') : written;
  const isEnded = text.endsWith('\n');
  const lines = (isEnded ? text.slice(0, -1) : text).split('\n');
  if (format.isJson)
    return Buffer.from(
      lines.map((line) => `${JSON.stringify({ time, ...origin, line: line.replace(/\r$/, '') })}\n`).join(''),
    );
  const start = format.hasTimestamps ? `${time} ` : '';
  const marked = lines.map((line, index) => (index === 0 && isContinued ? line : `${start}${line}`));
  return Buffer.from(`${marked.join('\n')}${isEnded ? '\n' : ''}`, 'latin1');
}
