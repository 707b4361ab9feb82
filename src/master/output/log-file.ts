/**
 * A log file for the output of workers. Lines are written in batches, one after the other, by calls that do not block the master. The file is rotated and
 * opened again between two batches, so that no line is lost or torn. Lines that cannot be written are counted.
 */
import { closeSync, fchmodSync, fstatSync, ftruncate, realpathSync, stat, type Stats, writev } from 'node:fs';
import { promisify } from 'node:util';
import type { LogFileSettings } from '../config/options/output-options.ts';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import type { MasterEvent } from '../../shared/events.ts';
import { createLogQueue } from './log-queue.ts';
import { openNow, openRegular, orClose, problemOf, unusable } from './open-log-file.ts';
import { createOutputLoss, littleWaitingBytes, mostWaitingBytes, tooLate } from './output-loss.ts';
import { compressNewest, shiftBackups } from './rotate-files.ts';
import { countLines, newline } from './newlines.ts';

/** A source of lines: one stream of one worker. */
export interface LogSource {
  /** Stops reading from the worker, so that it waits, or continues to read. */
  readonly hold: (isHeld: boolean) => void;
}

export interface LogFile {
  /** The path as the plan writes it. If several plans write it in different ways: as the first of them does. */
  readonly path: string;
  /** The same path with its folder resolved (log-place.ts). */
  readonly place: string;
  /**
   * Adds a source, and opens the file unless it is open. The source has to be detached in the end. `isContinued`: the file ends with the beginning of a
   * line of this source. Errors: `logFileUnusable`.
   */
  attach(
    source: LogSource,
    settings: LogFileSettings,
    tell: (event: MasterEvent) => void,
    isContinued?: boolean,
  ): void;
  /** Removes a source that writes nothing more. Without a source, the file is closed once everything is written. */
  detach(source: LogSource): void;
  /** Writes whole lines, or a part of a line that is too long to be kept. */
  write(source: LogSource, bytes: Uint8Array): void;
  configure(settings: LogFileSettings): void;
  isOpen(): boolean;
  /** Opens the path again, because another file may be there. Returns null, or why it cannot be opened: then the open file stays in use. */
  reopen(): Promise<string | null>;
  /** Resolves when no line waits to be written. */
  flushed(): Promise<void>;
  /** Whether a line waits to be written or a file to be compressed, or lines that are lost are still being counted. */
  isBusy(): boolean;
  /** Counts lines that are not written yet as lost, and reports them. For the end of the master, which cannot wait for them. */
  abandon(): void;
}

/** The system calls that may fail while the file is in use. */
export interface LogFileCalls {
  readonly writev: (fd: number, pieces: readonly Uint8Array[]) => Promise<number>;
  readonly stat: (fd: number) => Pick<Stats, 'size' | 'mode' | 'ino'>;
  readonly close: (fd: number) => void;
  readonly nowMs: () => number;
}

const writePieces = promisify(writev);

const realCalls: LogFileCalls = {
  writev: async (fd, pieces) => (await writePieces(fd, [...pieces])).bytesWritten,
  stat: (fd) => fstatSync(fd),
  close: closeSync,
  nowMs: () => Date.now(),
};

const batchBytes = 1024 * 1024;
/** How long no rotation is tried after one has failed. */
const rotationPauseMs = 30_000;
/** Stands for a source whose line lost its rest: the next bytes begin a line, whatever their source is. */
const nobody: LogSource = { hold: () => undefined };

export function createLogFile(
  path: string,
  given: Partial<LogFileCalls> = {},
  place: string = path,
): LogFile {
  const calls: LogFileCalls = { ...realCalls, ...given };
  const queue = createLogQueue();
  const sources = new Set<LogSource>();
  let settings: LogFileSettings = {
    maxBytes: 0,
    backups: 0,
    compress: false,
    daily: false,
    overflow: 'block',
  };
  let tell: (event: MasterEvent) => void = () => undefined;
  let fd: number | null = null;
  /** The path with its symlinks resolved: the file at that path is renamed. */
  let realPath = place;
  let sizeBytes = 0;
  /** Whether the next byte begins a line of the file. */
  let isAtLineStart = true;
  /** Whether the file ends with the beginning of a line whose rest is lost. */
  let isTorn = false;
  /** The source whose line has not ended in the queue; null if there is none. */
  let unended: LogSource | null = null;
  let areHeld = false;
  let writing: Promise<void> | null = null;
  /** The part of the current batch that is not in the file yet. */
  let underWay: readonly Uint8Array[] = [];
  let compressing: Promise<void> = Promise.resolve();
  let isCompressing = false;
  let rotatesNextAt = 0;
  let hasRotationFailed = false;
  /** When the day ends to which the lines of the file belong. */
  let dayEndsAt = 0;
  const loss = createOutputLoss({
    path,
    tell: (event) => {
      tell(event);
    },
    nowMs: calls.nowMs,
  });
  let reopening: { readonly done: (problem: string | null) => void }[] = [];

  function adopt(opened: number): void {
    const before = fd;
    const { size, mtimeMs } = fstatSync(opened);
    fd = opened;
    sizeBytes = size;
    // The file may be the same one as before.
    isTorn &&= size > 0;
    isAtLineStart = !isTorn;
    dayEndsAt = endOfDay(mtimeMs);
    if (before !== null) close(before);
  }

  /** Closes the file. NFS may report only here that there was no room for earlier writes, which can then only be reported. */
  function close(closing: number): void {
    try {
      calls.close(closing);
    } catch (error) {
      lose('cannotWrite', [], problemOf(error));
    }
  }

  function lose(
    reason: 'cannotWrite' | 'tooFast',
    pieces: readonly Uint8Array[],
    problem: string | null,
  ): void {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    loss.lose(reason, { lines: countLines(pieces), bytes }, problem);
  }

  function hold(isHeld: boolean): void {
    if (areHeld === isHeld) return;
    areHeld = isHeld;
    for (const source of sources) source.hold(isHeld);
  }

  function write(source: LogSource, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (settings.overflow === 'drop' && queue.bytes > mostWaitingBytes) {
      lose('tooFast', [bytes], null);
      if (unended === source) unended = nobody;
      return;
    }
    if (unended !== null && unended !== source) queue.add(Uint8Array.of(newline));
    queue.add(bytes);
    unended = bytes.at(-1) === newline ? null : source;
    if (settings.overflow === 'block' && queue.bytes > mostWaitingBytes) hold(true);
    begin();
  }

  function begin(): void {
    if (writing !== null || fd === null) return;
    writing = writeAll().finally(() => {
      writing = null;
      if (queue.bytes > 0 || reopening.length > 0) begin();
      else closeIfUnused();
    });
  }

  async function writeAll(): Promise<void> {
    for (;;) {
      if (reopening.length > 0) await openAgain();
      const firstLine = queue.firstLineBytes();
      if (firstLine === 0 || fd === null) return;
      if (isRotationDue(firstLine)) await rotate(firstLine);
      // The day of a file is that of its first line, however long the file was empty.
      if (sizeBytes === 0) dayEndsAt = endOfDay(calls.nowMs());
      await writeBatch(fd, queue.take(roomBytes(), batchBytes));
      if (queue.bytes <= littleWaitingBytes) hold(false);
    }
  }

  function mayRotate(): boolean {
    return calls.nowMs() >= rotatesNextAt;
  }

  function isRotationDue(firstLine: number): boolean {
    if (sizeBytes === 0 || !mayRotate()) return false;
    // A line that never ends, such as that of a progress bar, must not fill the disk.
    if (!isAtLineStart) return settings.maxBytes > 0 && sizeBytes >= 2 * settings.maxBytes;
    return firstLine > roomBytes() || (settings.daily && calls.nowMs() >= dayEndsAt);
  }

  function roomBytes(): number {
    return settings.maxBytes === 0 || !mayRotate() ? Infinity : settings.maxBytes - sizeBytes;
  }

  async function writeBatch(to: number, taken: readonly Uint8Array[]): Promise<void> {
    const beganAtLineStart = isAtLineStart;
    const endsTornLine = isTorn && taken[0]?.[0] !== newline;
    const pieces = endsTornLine ? [Uint8Array.of(newline), ...taken] : taken;
    underWay = pieces;
    let writtenBytes = 0;
    try {
      while (underWay.length > 0) {
        const written = await calls.writev(to, underWay);
        if (written === 0) throw new Error('nothing was written');
        writtenBytes += written;
        sizeBytes += written;
        underWay = without(underWay, written);
      }
      isAtLineStart = pieces.at(-1)?.at(-1) === newline;
      isTorn = false;
      loss.wrote(writtenBytes, queue.bytes <= littleWaitingBytes);
    } catch (error) {
      underWay = [];
      const whole = Buffer.concat(pieces);
      const keptBytes = writtenBytes === 0 ? 0 : whole.lastIndexOf(newline, writtenBytes - 1) + 1;
      const isWhole = await takeBack(to, writtenBytes - keptBytes);
      isAtLineStart = isWhole && (keptBytes > 0 || beganAtLineStart);
      // The file ends with the beginning of a line whose rest is lost, so the next batch ends that line.
      isTorn = !isAtLineStart;
      const isEndLost = keptBytes === 0 && !beganAtLineStart && whole[0] === newline;
      lose('cannotWrite', [whole.subarray(isEndLost ? 1 : keptBytes)], problemOf(error));
    }
  }

  /** Removes the beginning of a line whose rest could not be written. Returns false if it stays. */
  async function takeBack(from: number, bytes: number): Promise<boolean> {
    if (bytes === 0) return true;
    try {
      const { size } = calls.stat(from);
      await promisify(ftruncate)(from, size - bytes);
      sizeBytes = size - bytes;
      return true;
    } catch {
      return false;
    }
  }

  async function rotate(firstLine: number): Promise<void> {
    await compressing;
    if (fd === null) return;
    try {
      // Another program may have truncated the file, as `copytruncate` of logrotate does.
      const { size, mode, ino } = calls.stat(fd);
      sizeBytes = size;
      if (!isRotationDue(firstLine)) return;
      // If the path has another file, logrotate(8) has moved this one, and is about to report that. Then the path is free, or the file there already has
      // the mode that logrotate gave it.
      const there = await inodeOf(realPath);
      if (there === ino) await shiftBackups(realPath, settings.backups);
      const opened = await openRegular(realPath, path, mode & 0o777);
      if (there === ino || there === null)
        orClose(opened, () => {
          fchmodSync(opened, mode & 0o777);
        });
      adopt(opened);
      hasRotationFailed = false;
      if (settings.compress && settings.backups > 0) {
        isCompressing = true;
        compressing = compressNewest(realPath)
          .catch(rotationFailed)
          .finally(() => {
            isCompressing = false;
          });
      }
    } catch (error) {
      rotationFailed(error);
    }
  }

  function rotationFailed(error: unknown): void {
    rotatesNextAt = calls.nowMs() + rotationPauseMs;
    if (!hasRotationFailed) tell({ event: 'logRotationFailed', path, problem: problemOf(error) });
    hasRotationFailed = true;
  }

  async function openAgain(): Promise<void> {
    const asked = reopening;
    reopening = [];
    let problem: string | null = null;
    try {
      const opened = await openRegular(place, path, 0o666);
      realPath = orClose(opened, () => realpathSync(place));
      rotatesNextAt = 0;
      adopt(opened);
    } catch (error) {
      problem = messageOf(error instanceof GracefulRunError ? error : unusable(path, error));
    }
    for (const { done } of asked) done(problem);
  }

  function closeIfUnused(): void {
    if (sources.size > 0 || fd === null || writing !== null) return;
    const closing = fd;
    fd = null;
    close(closing);
    loss.end();
  }

  return {
    path,
    place,
    attach(source, given, listener, isContinued = false) {
      if (fd === null) {
        const opened = openNow(place, path);
        realPath = orClose(opened, () => realpathSync(place));
        adopt(opened);
      }
      settings = given;
      tell = listener;
      sources.add(source);
      if (isContinued) {
        unended = source;
        isAtLineStart = false;
      }
      if (areHeld) source.hold(true);
    },
    detach(source) {
      sources.delete(source);
      closeIfUnused();
    },
    write,
    configure(given) {
      settings = given;
      if (given.overflow === 'drop') hold(false);
    },
    isOpen: () => fd !== null,
    async reopen() {
      if (fd === null) return null;
      return new Promise((done) => {
        reopening.push({ done });
        begin();
      });
    },
    async flushed() {
      while (writing !== null) await writing;
      await compressing;
    },
    isBusy: () => writing !== null || queue.bytes > 0 || isCompressing || loss.isCounting(),
    abandon() {
      const waiting = [...underWay];
      while (queue.bytes > 0) waiting.push(...queue.take(Infinity, Infinity));
      if (waiting.length === 0) return;
      lose('cannotWrite', waiting, tooLate);
      loss.end();
    },
  };
}

/** The inode of a file; null if there is no such file. */
async function inodeOf(path: string): Promise<number | null> {
  try {
    return (await promisify(stat)(path)).ino;
  } catch {
    return null;
  }
}

function without(pieces: readonly Uint8Array[], writtenBytes: number): readonly Uint8Array[] {
  let skip = writtenBytes;
  return pieces.flatMap((piece) => {
    const from = Math.min(skip, piece.length);
    skip -= from;
    return from === piece.length ? [] : [piece.subarray(from)];
  });
}

function endOfDay(ms: number): number {
  const day = new Date(ms);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
}
