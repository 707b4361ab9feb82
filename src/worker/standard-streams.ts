/** stdout and stderr that lead to the master, or its terminal: when that is gone, writing there must not end a worker that drains. */

/** Ignores EPIPE, and a terminal's EIO, on both; any other error is treated as if we were not here. */
export function surviveBrokenPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO' && stream.listenerCount('error') === 1) throw error;
    });
  }
}

/** What is told of an error to whoever has to find it. */
export function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** One line on stderr in our name. */
export function complain(text: string): void {
  process.stderr.write(`graceful-run: ${text}\n`);
}
