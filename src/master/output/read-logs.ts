/**
 * The output of a program's workers for a reader: first the lines of log files that are older than those that the master remembers, then the remembered
 * ones, with the worker that wrote them, then new ones. Its memory is bounded, however slow the reader is. Loaded when it is first needed.
 */
import type { LogLine, LogRecord } from '../../shared/control-api.ts';
import type { LineFormat } from '../config/options/output-options.ts';
import type { OutputStream } from '../process/platform.ts';
import { escapeSequences } from './escape-worker-line.ts';
import type { KeptBlock, KeptLines } from './kept-lines.ts';
import { knownAtEnd } from './known-lines.ts';
import { placeOf } from './log-place.ts';
import { closeSegments, openSegments, readLines, readTail } from './log-segments.ts';
import { type LinesOfFile, parseLogLine, textOf, withoutReturn } from './parse-log-line.ts';

export interface LogsRequest {
  /** The stream to read, or null for both. */
  readonly stream: OutputStream | null;
  /** How many of the last lines of each log file, or of the remembered ones, are read; null for all. */
  readonly lines: number | null;
  /** The time of the oldest line to read, in ms since 1970; null for no limit. */
  readonly since: number | null;
  /** Whether to continue with new lines, until `signal` is aborted or the program is removed. */
  readonly follows: boolean;
}

export interface LogsSource {
  readonly program: string;
  readonly kept: KeptLines;
  /** The log files of the program, each with the stream that goes to it; null if both do. */
  readonly files: readonly { readonly path: string; readonly stream: OutputStream | null }[];
  /** The format of lines in the files. */
  readonly format: LineFormat;
  /** Streams whose lines cannot be found, which the reader is told first. */
  readonly unseen: readonly { readonly stream: OutputStream; readonly why: string }[];
}

export async function* showLogs(
  { program, kept, files, format, unseen }: LogsSource,
  request: LogsRequest,
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  // Both begin at the same moment, so that no line between them is missing or delivered twice.
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
        const place = placeOf(file.path);
        const known = (): readonly RememberedLine[] =>
          linesOf([...blocks, ...live.waiting()], null).filter(({ path }) => path === place);
        yield* olderLines({ ...file, program, format }, known, wanted.length, request);
      }
    yield* (request.lines === null ? wanted : lastOf(wanted, request.lines)).map(withoutPath);
    if (request.follows) yield* live.lines();
  } finally {
    live.end();
  }
}

/** A line with the place of the log file that it is in. */
type RememberedLine = LogLine & { readonly time: number; readonly path: string | null };

function withoutPath({ stream, generation, slot, worker, time, line }: RememberedLine): LogLine {
  return { stream, generation, slot, worker, time, line };
}

/** The lines of blocks. `stream`: null for both streams. */
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

function isRecent(time: number | null, { since }: LogsRequest): boolean {
  return since === null || (time !== null && time >= since);
}

function lastOf<One>(list: readonly One[], count: number): readonly One[] {
  return count === 0 ? [] : list.slice(-count);
}

/** The lines of a file that are older than the remembered ones. */
async function* olderLines(
  file: LinesOfFile & { readonly path: string },
  remembered: () => readonly RememberedLine[],
  rememberedCount: number,
  request: LogsRequest,
): AsyncGenerator<LogRecord> {
  const { segments: all, problem } = await openSegments(file.path);
  try {
    if (problem !== null) yield { notice: `lines of ${file.path} cannot be read: ${problem}` };
    const { since, stream } = request;
    const segments = since === null ? all : all.filter(({ changedMs }) => changedMs >= since);
    const known = countKnown(await readTail(segments), remembered(), file);
    const parse = (written: string): LogLine | null => parseLogLine(textOf(written), file);
    const fits = (line: LogLine | null): boolean =>
      line !== null && (stream === null || line.stream === stream);
    // If no line of the file names its stream, one line is enough to report that.
    const isMute = stream !== null && file.stream === null && !file.format.isJson;
    const wanted = isMute ? 1 : request.lines === null ? null : request.lines - rememberedCount;
    const read = (count: number | null): AsyncIterable<string> => readLines(segments, count, known);
    // Lines of other programs or streams may be between the wanted ones.
    const reach =
      wanted !== null && file.format.isJson
        ? await reachOf(wanted, read, (written) => fits(parse(written)))
        : { lines: wanted, surplus: 0 };
    let [surplus, mute, untimed] = [reach.surplus, 0, 0];
    for await (const written of read(reach.lines)) {
      const line = parse(written);
      if (line === null) continue;
      if (stream !== null && line.stream === null) mute += 1;
      else if (!fits(line)) continue;
      else if (surplus > 0) surplus -= 1;
      else if (isRecent(line.time, request)) yield line;
      else if (line.time === null) untimed += 1;
    }
    const older = `older lines of ${file.path}`;
    if (mute > 0)
      yield {
        notice: `${older} do not say whether they are of stdout or stderr (logfile_format), so they are left out`,
      };
    if (untimed > 0) yield { notice: `${older} have no time (logfile_timestamps), so they are left out` };
  } finally {
    await closeSegments(all);
  }
}

/** How many of the last lines have to be read so that `wanted` of them fit, and how many more fit: those come first, and are skipped. */
async function reachOf(
  wanted: number,
  read: (lines: number) => AsyncIterable<string>,
  fits: (written: string) => boolean,
): Promise<{ readonly lines: number; readonly surplus: number }> {
  for (let lines = wanted; ; lines *= 10) {
    let [found, fitting] = [0, 0];
    for await (const written of read(lines)) {
      found += 1;
      if (fits(written)) fitting += 1;
    }
    if (fitting >= wanted || found < lines) return { lines, surplus: Math.max(0, fitting - wanted) };
  }
}

/** How many of the last lines of a file are remembered, or are lines of other programs between remembered ones. */
function countKnown(tail: readonly string[], lines: readonly RememberedLine[], file: LinesOfFile): number {
  const remembered = lines.map(({ line }) => comparable(line));
  const isRemembered = new Set(remembered);
  const own = tail.flatMap((written, at) => {
    const text = textOf(written);
    const asWritten = comparable(text);
    if (isRemembered.has(asWritten)) return [{ at, line: asWritten }];
    const line = parseLogLine(text, { ...file, format: anyFormat });
    return line === null ? [] : [{ at, line: comparable(line.line) }];
  });
  const count = knownAtEnd(
    own.map(({ line }) => line),
    remembered,
  );
  const first = own[own.length - count];
  return first === undefined ? 0 : tail.length - first.at;
}

/** The file may have had any format when a line was written. */
const anyFormat: LineFormat = { stripsAnsi: true, hasTimestamps: true, isJson: true };

/** How much of a line is compared. The end of a long line is enough, because only that may be remembered (kept-lines.ts). */
const comparedLength = 32 * 1024;

/** The line in a form that can be compared: control sequences may have been removed on the way to the file. */
function comparable(line: string): string {
  const text = line.includes('\u001B') ? line.replaceAll(escapeSequences, '') : line;
  return text.slice(-comparedLength);
}

/** How many bytes may wait for a slow reader. */
const waitingLimitBytes = 1024 * 1024;

interface LiveLines {
  /** The blocks that have arrived and that lines() has not taken yet. */
  waiting(): readonly KeptBlock[];
  lines(): AsyncGenerator<LogRecord>;
  end(): void;
}

/** Collects the lines that arrive from now on. */
function followLines(kept: KeptLines, request: LogsRequest, signal: AbortSignal): LiveLines {
  let waiting: KeptBlock[] = [];
  let waitingBytes = 0;
  let skippedBytes = 0;
  let hasEnded = false;
  let wake = (): void => undefined;
  const unfollow = kept.follow(
    (block) => {
      if (waitingBytes > waitingLimitBytes) skippedBytes += block.bytes.length;
      else {
        waiting.push(block);
        waitingBytes += block.bytes.length;
      }
      wake();
    },
    () => {
      hasEnded = true;
      wake();
    },
  );
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
        if (hasEnded) return;
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
