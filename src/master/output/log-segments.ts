/** A log file and its backups as one text, read from its end: where its last lines begin, and the lines before others. Bounded in memory. */
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { systemCode } from '../../shared/errors.ts';
import { backupPath, compressedEnding } from './rotate-files.ts';

const newline = 0x0a;
const blockBytes = 64 * 1024;
/** A line that is longer is cut. */
const maxLineBytes = 1024 * 1024;

/** One of the files. It is open, so that it can be read after it was renamed or removed. */
export interface LogSegment {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly isCompressed: boolean;
  readonly changedMs: number;
}

/** The newest first. To be closed. Files that cannot be opened are left out. */
export async function openSegments(path: string): Promise<readonly LogSegment[]> {
  const segments: LogSegment[] = [];
  const newest = await openSegment(path, false);
  if (newest !== null) segments.push(newest);
  for (let number = 1; ; number += 1) {
    const backup = backupPath(path, number);
    const segment =
      (await openSegment(backup, false)) ?? (await openSegment(backup + compressedEnding, true));
    if (segment === null) return segments;
    segments.push(segment);
  }
}

async function openSegment(path: string, isCompressed: boolean): Promise<LogSegment | null> {
  try {
    const handle = await open(path, 'r');
    const { size, mtimeMs } = await handle.stat();
    return { handle, sizeBytes: size, isCompressed, changedMs: mtimeMs };
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return null;
  }
}

function contentOf({ handle, sizeBytes, isCompressed }: LogSegment, from = 0): AsyncIterable<Uint8Array> {
  if (from >= sizeBytes) return nothing();
  const stream: Readable = handle.createReadStream({ autoClose: false, start: from, end: sizeBytes - 1 });
  if (!isCompressed) return stream;
  const unzipped = createGunzip();
  stream.on('error', (error) => unzipped.destroy(error));
  return stream.pipe(unzipped);
}

// eslint-disable-next-line @typescript-eslint/require-await -- the type of a stream
async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* [];
}

interface LastLines {
  readonly lines: number;
  /** Where the first of them begins. */
  readonly offset: number;
}

/** Its last lines: `most` of them, or all; of one that is compressed always all. */
async function lastLines(segment: LogSegment, most: number): Promise<LastLines> {
  if (!segment.isCompressed) return startOfLast(segment, most);
  let lines = 0;
  for await (const bytes of contentOf(segment)) lines += countEnds(bytes);
  return { lines, offset: 0 };
}

function countEnds(bytes: Uint8Array): number {
  let ends = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) ends += 1;
  return ends;
}

/** Where the last `wanted` lines begin, and how many there are at most. Reads from the end. What has not ended yet does not count. */
async function startOfLast({ handle, sizeBytes }: LogSegment, wanted: number): Promise<LastLines> {
  const block = Buffer.alloc(blockBytes);
  let ends = 0;
  for (let end = sizeBytes; end > 0;) {
    const from = Math.max(0, end - blockBytes);
    const { bytesRead } = await handle.read(block, 0, end - from, from);
    const bytes = block.subarray(0, bytesRead);
    for (
      let at = bytes.lastIndexOf(newline);
      at !== -1;
      at = at === 0 ? -1 : bytes.lastIndexOf(newline, at - 1)
    ) {
      // The end of the line before the wanted ones.
      if (ends === wanted) return { offset: from + at + 1, lines: wanted };
      ends += 1;
    }
    end = from;
  }
  return { offset: 0, lines: ends };
}

/**
 * The last `wanted` lines (null: all) before the last `dropped` ones, over all segments, the oldest first. Latin-1, one character for each byte.
 */
export async function* readLines(
  segments: readonly LogSegment[],
  wanted: number | null,
  dropped: number,
): AsyncGenerator<string> {
  let [toDrop, left] = [dropped, wanted ?? Infinity];
  const parts: Part[] = [];
  for (const segment of segments) {
    if (left <= 0) break;
    const { lines, offset } = await lastLines(segment, toDrop + left);
    const end = Math.max(0, lines - toDrop);
    toDrop = Math.max(0, toDrop - lines);
    const take = Math.min(end, left);
    left -= take;
    if (take > 0) parts.push({ segment, offset, skip: end - take, take });
  }
  for (const part of parts.toReversed()) yield* linesOf(part);
}

interface Part {
  readonly segment: LogSegment;
  readonly offset: number;
  /** Lines from `offset` on that are not wanted, and how many are. */
  readonly skip: number;
  readonly take: number;
}

async function* linesOf({ segment, offset, skip, take }: Part): AsyncGenerator<string> {
  let at = 0;
  let rest = '';
  for await (const bytes of contentOf(segment, offset)) {
    const lines = (rest + Buffer.from(bytes).toString('latin1')).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxLineBytes);
    for (const line of lines) {
      if (at >= skip + take) return;
      if (at >= skip) yield line;
      at += 1;
    }
  }
}

/** The last lines, about 2 MiB of them, the oldest first: more than a program's kept lines and those that wait for a reader. */
export async function readTail(segments: readonly LogSegment[]): Promise<readonly string[]> {
  let text = '';
  for (const segment of segments) {
    let own = '';
    for await (const bytes of tailOf(segment))
      own = (own + Buffer.from(bytes).toString('latin1')).slice(-tailBytes);
    text = own + text;
    if (text.length >= tailBytes) break;
  }
  const lines = text.split('\n');
  // What has not ended yet.
  lines.pop();
  return text.length < tailBytes ? lines : lines.slice(1);
}

const tailBytes = 2 * 1024 * 1024;

function tailOf(segment: LogSegment): AsyncIterable<Uint8Array> {
  return contentOf(segment, segment.isCompressed ? 0 : Math.max(0, segment.sizeBytes - tailBytes));
}

export async function closeSegments(segments: readonly LogSegment[]): Promise<void> {
  await Promise.all(segments.map(async ({ handle }) => handle.close()));
}
