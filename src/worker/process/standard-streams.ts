/**
 * stdout and stderr that lead to the master, or its terminal: when that is gone, writing there must not end a worker that drains.
 * INVARIANT: nothing here makes `process.stdout` or `process.stderr` exist. Making one of them switches a pipe to non-blocking, for every
 * process that shares it, and a program that writes to the descriptor itself (`fs.writeSync(1)`) then fails with EAGAIN.
 */
import { EventEmitter } from 'node:events';

type Stream = Pick<EventEmitter, 'on' | 'listenerCount'>;

const names = ['stdout', 'stderr'] as const;

/** From the moment in which the application uses one of them: ignores EPIPE, and a terminal's EIO. Any other error stays an error. */
export function surviveBrokenPipes(): void {
  for (const name of names) {
    const own = Object.getOwnPropertyDescriptor(process, name);
    const make: unknown = own === undefined ? null : Reflect.get(own, 'get');
    // Made already, or replaced by a preload of the application's.
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

/** What is told of an error to whoever has to find it. */
export function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** One line on stderr in our name. */
export function complain(text: string): void {
  const line = `graceful-run: ${text}\n`;
  try {
    process.getBuiltinModule('node:fs').writeSync(2, line);
  } catch {
    // EAGAIN: the application has made it non-blocking, so its stream is there. Anything else: it is the stream that says so.
    process.stderr.write(line);
  }
}
