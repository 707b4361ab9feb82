/**
 * What the workers of a program wrote, for a reader: lines of log files that are older than what the master remembers, then those that it remembers, with
 * the worker that wrote them, then those to come. Bounded in memory, however slow the reader is. Loaded when it is asked for.
 */
import type { LogLine, LogRecord } from '../../shared/control-api.ts';
import type { OutputStream } from '../process/platform.ts';
import { escapeSequences } from './escape-worker-line.ts';
import type { KeptBlock, KeptLines } from './kept-lines.ts';
import { closeSegments, openSegments, readLines, readTail } from './log-segments.ts';

export interface LogsRequest {
  /** Null: both. */
  readonly stream: OutputStream | null;
  /** The last lines of each log file, or of what is remembered; null: all. */
  readonly lines: number | null;
  /** Milliseconds since 1970; null: however old. */
  readonly since: number | null;
  /** Go on with the lines to come, until `signal` is aborted. */
  readonly follows: boolean;
}

export interface LogsSource {
  readonly kept: KeptLines;
  /** The log files of the program, with the stream that goes to each; null: both do. */
  readonly files: readonly { readonly path: string; readonly stream: OutputStream | null }[];
  /** Streams whose lines are not found, which a reader has to know first. */
  readonly unseen: readonly { readonly stream: OutputStream; readonly why: string }[];
}

export async function* showLogs(
  { kept, files, unseen }: LogsSource,
  request: LogsRequest,
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  // From the same moment on: so that no line is missing between the two, and none is there twice.
  const live = followLines(kept, request, signal);
  const blocks = kept.blocks();
  try {
    const remembered = linesOf(blocks, request.stream);
    for (const { stream, why } of unseen)
      if (request.stream === null || request.stream === stream) yield { notice: why };
    const wanted = remembered.filter(({ time }) => isRecent(time, request));
    const [oldest] = remembered;
    const isEnough =
      (request.lines !== null && wanted.length >= request.lines) ||
      (request.since !== null && oldest !== undefined && oldest.time < request.since);
    if (!isEnough)
      for (const file of files) {
        if (request.stream !== null && file.stream !== null && file.stream !== request.stream) continue;
        const known = (): readonly RememberedLine[] =>
          linesOf([...blocks, ...live.waiting()], null).filter(({ path }) => path === file.path);
        yield* olderLines(file, known, wanted.length, request);
      }
    yield* (request.lines === null ? wanted : lastOf(wanted, request.lines)).map(withoutPath);
    if (request.follows) yield* live.lines();
  } finally {
    live.end();
  }
}

/** With the file that it is in. */
type RememberedLine = LogLine & { readonly time: number; readonly path: string | null };

function withoutPath({ stream, generation, slot, worker, time, line }: RememberedLine): LogLine {
  return { stream, generation, slot, worker, time, line };
}

/** `stream` null: of both. */
function linesOf(blocks: readonly KeptBlock[], stream: OutputStream | null): readonly RememberedLine[] {
  return blocks.flatMap((block) => {
    if (stream !== null && block.stream !== stream) return [];
    const { bytes, ...origin } = block;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    return text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => ({ ...origin, line: withoutReturn(line) }));
  });
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function isRecent(time: number | null, { since }: LogsRequest): boolean {
  return since === null || (time !== null && time >= since);
}

function lastOf<One>(list: readonly One[], count: number): readonly One[] {
  return count === 0 ? [] : list.slice(-count);
}

/** Lines of a file before those that are remembered. */
async function* olderLines(
  { path, stream }: LogsSource['files'][number],
  remembered: () => readonly RememberedLine[],
  rememberedCount: number,
  request: LogsRequest,
): AsyncGenerator<LogRecord> {
  const all = await openSegments(path);
  try {
    const { since } = request;
    const segments = since === null ? all : all.filter(({ changedMs }) => changedMs >= since);
    const tail = await readTail(segments);
    const known = knownAtEnd(
      tail.map((line) => withoutSequences(parseLine(line, stream))),
      remembered().map(withoutSequences),
    );
    const wanted = request.lines === null ? null : request.lines - rememberedCount;
    let untimed = 0;
    for await (const written of readLines(segments, wanted, known)) {
      const line = parseLine(written, stream);
      if (request.stream !== null && line.stream !== null && line.stream !== request.stream) continue;
      if (isRecent(line.time, request)) yield line;
      else if (line.time === null) untimed += 1;
    }
    if (untimed > 0)
      yield {
        notice: `older lines of ${path} have no time (logfile_timestamps), so they are left out`,
      };
  } finally {
    await closeSegments(all);
  }
}

/** They may have been removed on the way to the file. */
function withoutSequences({ line }: LogLine): string {
  return line.includes('\u001B') ? line.replaceAll(escapeSequences, '') : line;
}

/**
 * How many of the last lines of a file are remembered: the end of the file is the beginning of what is remembered, whose last lines may still be on their
 * way to it. If lines are missing in the file, from the first one that is remembered on.
 */
export function knownAtEnd(file: readonly string[], remembered: readonly string[]): number {
  for (let count = Math.min(file.length, remembered.length); count > 0; count -= 1) {
    const start = file.length - count;
    let at = 0;
    while (at < count && file[start + at] === remembered[at]) at += 1;
    if (at === count) return count;
  }
  const [first] = remembered;
  const at = first === undefined ? -1 : file.lastIndexOf(first);
  return at === -1 ? 0 : file.length - at;
}

/** Of a file with JSON or with times, what it says of the line. `written` is Latin-1. */
function parseLine(written: string, stream: OutputStream | null): LogLine {
  const text = withoutReturn(Buffer.from(written, 'latin1').toString());
  const unknown = { stream, generation: null, slot: null, worker: null };
  const [start, time] = /^(\d{4}-\d\d-\d\dT[\d:.]{8,12}Z) /.exec(text) ?? [];
  if (start !== undefined && time !== undefined)
    return { ...unknown, time: Date.parse(time), line: text.slice(start.length) };
  return (text.startsWith('{"time":"') ? parseObject(text) : null) ?? { ...unknown, time: null, line: text };
}

function parseObject(text: string): LogLine | null {
  try {
    const { time, stream, generation, slot, worker, line } = JSON.parse(text) as Record<string, unknown>;
    const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
    if (typeof line !== 'string') return null;
    return {
      stream: stream === 'stdout' || stream === 'stderr' ? stream : null,
      generation: number(generation),
      slot: number(slot),
      worker: number(worker),
      time: number(Date.parse(String(time))),
      line,
    };
  } catch {
    return null;
  }
}

/** What may wait for a reader that is slow. */
const waitingLimitBytes = 1024 * 1024;

interface LiveLines {
  /** What has come and is not taken by lines() yet. */
  waiting(): readonly KeptBlock[];
  lines(): AsyncGenerator<LogRecord>;
  end(): void;
}

/** Remembers what comes from now on. */
function followLines(kept: KeptLines, request: LogsRequest, signal: AbortSignal): LiveLines {
  let waiting: KeptBlock[] = [];
  let waitingBytes = 0;
  let skippedBytes = 0;
  let wake = (): void => undefined;
  const unfollow = kept.follow((block) => {
    if (waitingBytes > waitingLimitBytes) skippedBytes += block.bytes.length;
    else {
      waiting.push(block);
      waitingBytes += block.bytes.length;
    }
    wake();
  });
  const aborted = (): void => {
    wake();
  };
  signal.addEventListener('abort', aborted);
  return {
    waiting: () => waiting,
    async *lines() {
      while (!signal.aborted) {
        const blocks = waiting;
        const skipped = skippedBytes;
        waiting = [];
        [waitingBytes, skippedBytes] = [0, 0];
        for (const block of blocks) yield* linesOf([block], request.stream).map(withoutPath);
        if (skipped > 0) yield { notice: `${skipped} bytes were skipped because the reader was too slow` };
        if (waiting.length > 0 || skippedBytes > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal.aborted) resolve();
        });
      }
    },
    end() {
      unfollow();
      signal.removeEventListener('abort', aborted);
    },
  };
}
