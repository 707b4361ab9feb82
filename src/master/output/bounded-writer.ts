/**
 * Writes to a descriptor whose reader may be slow or gone. Bytes that do not fit wait in a queue of bounded length. Only while something waits does a
 * timer check whether there is room.
 */
import type { Descriptor } from './nonblocking-descriptor.ts';
import { newline } from './newlines.ts';

export interface BoundedWriter {
  /** Writes or queues the text as a whole. Returns false if the queue is full: then none of the text will be written. */
  readonly write: (text: string | Uint8Array) => boolean;
  /** How many bytes wait. */
  readonly writableLength: number;
  /** Returns how many bytes could not be written because of an error (EPIPE, ENOSPC …) since the previous call. */
  readonly takeLostBytes: () => number;
  /** Calls back once, when the queue is empty; at once if it already is. */
  readonly whenEmpty: (callback: () => void) => void;
  /** Waits until everything is written, for at most `boundMs`. It blocks the thread, so it is for the end of the process. */
  readonly flush: (boundMs: number) => void;
}

export interface BoundedWriterParts {
  readonly descriptor: Descriptor;
  /** How many bytes may wait. A text that arrives when more are waiting is refused. */
  readonly limitBytes: number;
  /** Calls back after `delayMs`, without keeping the process alive. */
  readonly arm: (delayMs: number, callback: () => void) => void;
  readonly nowMs: () => number;
}

/** The pause before checking for room again. It is doubled after each check in vain, so that a reader that has stopped costs nothing. */
const firstDelayMs = 1;
const lastDelayMs = 500;

export function createBoundedWriter(parts: BoundedWriterParts): BoundedWriter {
  const { descriptor, limitBytes, arm, nowMs } = parts;
  const queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let lostBytes = 0;
  /** The last byte that was written. */
  let lastByte = newline;
  /** Whether the output ends with the beginning of a line whose rest is lost. */
  let isTorn = false;
  let isArmed = false;
  let delayMs = firstDelayMs;
  let whenEmpty: (() => void)[] = [];

  /** Writes as much as fits. Returns whether anything was written. */
  const writeWhatFits = (): boolean => {
    let hasMoved = false;
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      const written = descriptor.write(isTorn ? Uint8Array.of(newline) : next);
      if (written === 'EINTR') continue;
      if (written === 'EAGAIN' || written === 0) return hasMoved;
      hasMoved = true;
      if (isTorn && typeof written === 'number') {
        [isTorn, lastByte] = [false, newline];
        continue;
      }
      // After any other error, this text is lost. The next one is still tried, because the reader of a named pipe may come back.
      const taken = typeof written === 'string' ? next.length : written;
      if (typeof written === 'string') {
        lostBytes += taken;
        isTorn = lastByte !== newline;
      } else lastByte = next[taken - 1] ?? newline;
      queuedBytes -= taken;
      if (taken === next.length) queue.shift();
      else queue[0] = next.subarray(taken);
    }
    return hasMoved;
  };

  const tellEmpty = (): void => {
    if (queuedBytes > 0 || whenEmpty.length === 0) return;
    const callbacks = whenEmpty;
    whenEmpty = [];
    for (const callback of callbacks) callback();
  };

  const lookAgain = (): void => {
    if (isArmed || queuedBytes === 0) return;
    isArmed = true;
    arm(delayMs, () => {
      isArmed = false;
      delayMs = writeWhatFits() ? firstDelayMs : Math.min(2 * delayMs, lastDelayMs);
      tellEmpty();
      lookAgain();
    });
  };

  return {
    write: (text) => {
      if (queuedBytes > limitBytes) return false;
      const bytes = typeof text === 'string' ? Buffer.from(text) : text;
      if (bytes.length === 0) return true;
      queue.push(bytes);
      queuedBytes += bytes.length;
      if (writeWhatFits()) delayMs = firstDelayMs;
      tellEmpty();
      lookAgain();
      return true;
    },
    get writableLength() {
      return queuedBytes;
    },
    takeLostBytes: () => {
      const lost = lostBytes;
      lostBytes = 0;
      return lost;
    },
    whenEmpty: (callback) => {
      whenEmpty.push(callback);
      tellEmpty();
    },
    flush: (boundMs) => {
      const deadline = nowMs() + boundMs;
      for (let leftMs = boundMs; queuedBytes > 0 && leftMs > 0; leftMs = deadline - nowMs()) {
        if (!writeWhatFits()) descriptor.waitForRoom(Math.ceil(leftMs));
      }
      tellEmpty();
      if (queuedBytes > 0) writeWhatFits();
    },
  };
}
