/** Reads a log file and its backups as one text, from its end: where its last lines begin, and the lines before others. Its memory is bounded. */
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import { backupPath, compressedEnding } from './rotate-files.ts';
import { countLines, endOfWholeLines } from './newlines.ts';

const blockBytes = 64 * 1024;
/** How much of a line is read. A longer line is cut. */
const maxLineBytes = 1024 * 1024;

/** The log file or one of its backups. It is open, so that it can be read even after it was renamed or removed. */
export interface LogSegment {
  readonly handle: FileHandle;
  /** Identifies the file, whatever its name is. */
  readonly id: string;
  readonly sizeBytes: number;
  readonly isCompressed: boolean;
  readonly changedMs: number;
}

export interface OpenSegments {
  /** The segments, newest first. They have to be closed. */
  readonly segments: readonly LogSegment[];
  /** Why older segments are missing, or null if none is. */
  readonly problem: string | null;
}

/**
 * Opens a log file and its backups. A rotation at the same time does no harm. It moves files only to higher numbers, and this function reads them in that
 * order: so no file is missed, but one may be found again under its next number. And one number has no file during a rotation, which may be that of any
 * backup.
 */
export async function openSegments(path: string): Promise<OpenSegments> {
  const segments: LogSegment[] = [];
  try {
    for (let [number, missing] = [0, 0]; missing < 2; number += 1) {
      const segment = await openNumber(path, number);
      missing = segment === null ? missing + 1 : 0;
      if (segment === null) continue;
      if (segments.some(({ id }) => id === segment.id)) await segment.handle.close();
      else segments.push(segment);
    }
    return { segments, problem: null };
  } catch (error) {
    return { segments, problem: plainReason(systemCode(error) ?? messageOf(error)) };
  }
}

/** Opens the file with this number; null if there is none. 0 is the log file itself, which is not a backup. */
async function openNumber(path: string, number: number): Promise<LogSegment | null> {
  if (number === 0) return openSegment(path, false);
  const backup = backupPath(path, number);
  return (await openSegment(backup, false)) ?? (await openSegment(backup + compressedEnding, true));
}

/** Opens a log file; null if there is no such file. */
async function openSegment(path: string, isCompressed: boolean): Promise<LogSegment | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const { dev, ino, size, mtimeMs } = await handle.stat();
    return { handle, id: `${dev}:${ino}`, sizeBytes: size, isCompressed, changedMs: mtimeMs };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function contentOf(segment: LogSegment, from = 0): AsyncIterable<Uint8Array> {
  const bytes = bytesOf(segment, from);
  if (!segment.isCompressed) return bytes;
  const unzipped = createGunzip();
  const stream = Readable.from(bytes);
  stream.on('error', (error) => unzipped.destroy(error));
  return stream.pipe(unzipped);
}

/** Reads the bytes of a segment. It does not use a stream of the handle, which would close the handle when a reader has had enough. */
async function* bytesOf({ handle, sizeBytes }: LogSegment, from: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < sizeBytes;) {
    const block = Buffer.allocUnsafe(Math.min(blockBytes, sizeBytes - at));
    const { bytesRead } = await handle.read(block, 0, block.length, at);
    // The file was truncated.
    if (bytesRead === 0) return;
    yield block.subarray(0, bytesRead);
    at += bytesRead;
  }
}

interface LastLines {
  readonly lines: number;
  /** The offset of the first of these lines. */
  readonly offset: number;
}

/** Finds the last lines of a segment: at most `most` of them, but always all if it is compressed. */
async function lastLines(segment: LogSegment, most: number): Promise<LastLines> {
  if (!segment.isCompressed) return startOfLast(segment, most);
  let lines = 0;
  for await (const bytes of contentOf(segment)) lines += countLines([bytes]);
  return { lines, offset: 0 };
}

/** Finds where the last `wanted` lines begin, and how many there are. Reads from the end. A line that has not ended yet does not count. */
async function startOfLast({ handle, sizeBytes }: LogSegment, wanted: number): Promise<LastLines> {
  const block = Buffer.alloc(blockBytes);
  let ends = 0;
  for (let end = sizeBytes; end > 0;) {
    const from = Math.max(0, end - blockBytes);
    const { bytesRead } = await handle.read(block, 0, end - from, from);
    const bytes = block.subarray(0, bytesRead);
    for (let at = endOfWholeLines(bytes); at > 0; at = endOfWholeLines(bytes, at - 1)) {
      // The newline before `at` ends the line before the wanted ones.
      if (ends === wanted) return { offset: from + at, lines: wanted };
      ends += 1;
    }
    end = from;
  }
  return { offset: 0, lines: ends };
}

/** Reads the last `wanted` lines (null: all) before the last `dropped` ones, over all segments, oldest first, as Latin-1 with one character for each byte. */
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
  /** How many lines from `offset` on are skipped, and how many are read after these. */
  readonly skip: number;
  readonly take: number;
}

async function* linesOf({ segment, offset, skip, take }: Part): AsyncGenerator<string> {
  let at = 0;
  const splitter = createLineSplitter(maxLineBytes);
  for await (const bytes of contentOf(segment, offset)) {
    for (const line of splitter.add(Buffer.from(bytes).toString('latin1'))) {
      if (at >= skip + take) return;
      if (at >= skip) yield line;
      at += 1;
    }
  }
}

/** Reads about the last 2 MiB of lines, oldest first. That is more than a program's kept lines and those that wait for a reader. */
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
  // The last element is a line that has not ended yet.
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
