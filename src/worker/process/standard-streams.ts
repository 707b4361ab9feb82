/**
 * stdout and stderr of a worker, which lead to the master or its terminal: when those are gone, writing must not end a worker that drains.
 * INVARIANT: nothing here creates `process.stdout` or `process.stderr`. Creating one of them makes a pipe non-blocking for every process
 * that shares it, and a program that writes to the descriptor (`fs.writeSync(1)`) then fails with EAGAIN.
 */
import { EventEmitter } from 'node:events';

type Stream = Pick<EventEmitter, 'on' | 'listenerCount'>;

const names = ['stdout', 'stderr'] as const;

/** Ignores EPIPE, and EIO of a terminal, from the moment at which the application first uses one of the two streams. Other errors stay errors. */
export function surviveBrokenPipes(): void {
  for (const name of names) {
    const own = Object.getOwnPropertyDescriptor(process, name);
    const make: unknown = own === undefined ? null : Reflect.get(own, 'get');
    // The stream is created already, or was replaced by a preload of the application.
    if (own?.configurable !== true || typeof make !== 'function') continue;
    let isMade = false;
    own.get = (): unknown => {
      const stream: unknown = Reflect.apply(make, process, []);
      if (!isMade && isStream(stream)) {
        isMade = true;
        ignoreBrokenPipe(stream);
      }
      return stream;
    };
    Object.defineProperty(process, name, own);
  }
}

function isStream(value: unknown): value is Stream {
  return value instanceof EventEmitter;
}

function ignoreBrokenPipe(stream: Stream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO' && stream.listenerCount('error') === 1) throw error;
  });
}

/** Returns the error with its stack, for the application's log. */
export function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Writes one line to stderr, prefixed with `graceful-run:`. */
export function complain(text: string): void {
  const line = `graceful-run: ${text}\n`;
  try {
    process.getBuiltinModule('node:fs').writeSync(2, line);
  } catch {
    // EAGAIN means that the descriptor is non-blocking, so the stream exists already. The stream reports any other error.
    process.stderr.write(line);
  }
}
