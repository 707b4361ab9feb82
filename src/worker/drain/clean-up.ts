/**
 * The application's own clean-up at the very end of a drain: its listeners of SIGTERM, which would run without us too, and
 * must not run twice; where it has none, those of SIGQUIT, if they did not run when it came. Not both: most applications
 * that have both do the same in them. It must not know how the drain went.
 */

export interface CleanUp {
  /** Whose listeners have their turn: the first of these signals that the application listens for. */
  readonly signals: readonly NodeJS.Signals[];
  readonly isOurs: (listener: unknown) => boolean;
  /** A real SIGTERM has reached the application's listeners already: they are at work. */
  readonly isRunning: boolean;
  /** How long they may take when they do not exit by themselves. */
  readonly boundMs: number;
}

/** Lets the application's listeners run once, then exits: when they do, or at the bound. */
export function cleanUpAndExit({ signals, isOurs, isRunning, boundMs }: CleanUp): void {
  const signal = signals.find((name) => process.listeners(name).some((listener) => !isOurs(listener)));
  if (signal === undefined) exit();
  // Not ref'd: when the application has nothing left to wait for, the process ends by itself.
  setTimeout(exit, boundMs).unref();
  if (signal !== 'SIGTERM' || !isRunning) process.emit(signal, signal);
}

function exit(): never {
  process.exit(process.exitCode ?? 0);
}
