/**
 * The application's own clean-up at the very end of a drain: its SIGTERM listeners, which would run without us too,
 * and must not run twice. It must not know how the drain went.
 */

export interface CleanUp {
  readonly isOurs: (listener: unknown) => boolean;
  /** A real SIGTERM has reached the application's listeners already: they are at work. */
  readonly isRunning: boolean;
  /** How long they may take when they do not exit by themselves. */
  readonly boundMs: number;
}

/** Lets the application's SIGTERM listeners run once, then exits: when they do, or at the bound. */
export function cleanUpAndExit({ isOurs, isRunning, boundMs }: CleanUp): void {
  const hasListeners = process.listeners('SIGTERM').some((listener) => !isOurs(listener));
  if (!hasListeners) exit();
  // Not ref'd: when the application has nothing left to wait for, the process ends by itself.
  setTimeout(exit, boundMs).unref();
  if (!isRunning) process.emit('SIGTERM', 'SIGTERM');
}

function exit(): never {
  process.exit(process.exitCode ?? 0);
}
