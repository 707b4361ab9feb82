/** Parses a line of a log file that format-lines.ts has written. */
import type { LogLine } from '../../shared/control-api.ts';
import type { LineFormat } from '../config/options/output-options.ts';
import type { OutputStream } from '../process/platform.ts';

export interface LinesOfFile {
  /** The program whose lines are wanted. */
  readonly program: string;
  /** The stream that goes to the file, or null if both do. */
  readonly stream: OutputStream | null;
  readonly format: LineFormat;
}

/** The text of a line that was read as Latin-1, with one character for each byte. */
export function textOf(written: string): string {
  return withoutReturn(Buffer.from(written, 'latin1').toString());
}

export function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/**
 * Removes what the format of the file has added to a line, and nothing else: an application may write times and JSON itself. A time that the application
 * wrote still tells when the line was written. Null if the line is of another program.
 */
export function parseLogLine(text: string, { program, stream, format }: LinesOfFile): LogLine | null {
  const bare: LogLine = { stream, generation: null, slot: null, worker: null, time: null, line: text };
  const [start, time] = /^(\d{4}-\d\d-\d\dT[\d:.]{8,12}Z) /.exec(text) ?? [];
  if (start !== undefined && time !== undefined)
    return { ...bare, time: timeOf(time), line: format.hasTimestamps ? text.slice(start.length) : text };
  const object = text.startsWith('{"time":"') ? parseObject(text) : null;
  if (object === null) return bare;
  if (!format.isJson) return { ...bare, time: object.line.time };
  return object.program === program ? object.line : null;
}

function parseObject(text: string): { readonly program: unknown; readonly line: LogLine } | null {
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const { time, program, stream, line } = fields;
    if (typeof line !== 'string') return null;
    return {
      program,
      line: {
        stream: stream === 'stdout' || stream === 'stderr' ? stream : null,
        generation: numberIn(fields['generation']),
        slot: numberIn(fields['slot']),
        worker: numberIn(fields['worker']),
        time: timeOf(String(time)),
        line,
      },
    };
  } catch {
    return null;
  }
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function timeOf(text: string): number | null {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
