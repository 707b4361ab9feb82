/** The master's stderr, shared with its workers. A write returns at once, whatever the other processes and the reader do. */
import { systemClock } from '../../shared/clock.ts';
import { type BoundedWriter, createBoundedWriter } from './bounded-writer.ts';
import { type Descriptor, openPatiently } from './nonblocking-descriptor.ts';

/** What may wait for a slow reader. The log stops earlier (../log/log.ts), and the workers' output earlier still (shared-output.ts). */
const limitBytes = 2 * 1024 * 1024;
/** How long the end of the process waits for a reader that is slow. */
const lastLinesMs = 1_000;

let writer: BoundedWriter | null = null;

/** One for the process, made at the first call. Never process.stderr: that makes a pipe non-blocking for everybody, a terminal blocking for us. */
export function standardError(): BoundedWriter {
  writer ??= open();
  return writer;
}

function open(): BoundedWriter {
  let descriptor: Descriptor | null = null;
  const opened = (): Descriptor => (descriptor ??= openPatiently(2));
  const made = createBoundedWriter({
    // Opened at the first write: by then the system calls are loaded.
    descriptor: {
      write: (bytes) => opened().write(bytes),
      waitForRoom: (timeoutMs) => {
        opened().waitForRoom(timeoutMs);
      },
    },
    limitBytes,
    arm: (delayMs, callback) => {
      setTimeout(callback, delayMs).unref();
    },
    nowMs: () => systemClock.monotonicMs(),
  });
  process.on('exit', () => {
    made.flush(lastLinesMs);
  });
  return made;
}
