/** The master's stderr and stdout, shared with its workers. A write returns at once, whatever the other processes and the reader do. */
import { systemClock } from '../../shared/clock.ts';
import { type BoundedWriter, createBoundedWriter } from './bounded-writer.ts';
import { type Descriptor, openPatiently } from './nonblocking-descriptor.ts';

/** How many bytes may wait for a slow reader. The log stops earlier (../log/log.ts), and the workers' output earlier still (shared-output.ts). */
const limitBytes = 2 * 1024 * 1024;
/** How long the end of the process waits for a slow reader. */
const lastLinesMs = 1_000;

const writers = new Map<number, BoundedWriter>();

/**
 * The writer to stderr: there is one for the process, made at the first call. It does not use process.stderr, which makes a pipe non-blocking for every
 * process, and a terminal blocking for this one.
 */
export function standardError(): BoundedWriter {
  return writerOf(2);
}

/** The writer to stdout, made in the same way. */
export function standardOutput(): BoundedWriter {
  return writerOf(1);
}

function writerOf(fd: number): BoundedWriter {
  const writer = writers.get(fd) ?? open(fd);
  writers.set(fd, writer);
  return writer;
}

function open(fd: number): BoundedWriter {
  let descriptor: Descriptor | null = null;
  const opened = (): Descriptor => (descriptor ??= openPatiently(fd));
  const made = createBoundedWriter({
    // The descriptor is opened at the first write: by then the system calls are loaded.
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
