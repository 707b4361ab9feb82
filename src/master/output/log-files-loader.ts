/** Loads the code of log files when the first program needs it. A master without log files does not load it. */
import type { LogFiles } from './log-files.ts';

export interface LogFilesLoader {
  load(): Promise<LogFiles>;
  /** The log files, or null if no program has needed them. */
  loaded(): LogFiles | null;
}

export function createLogFilesLoader(): LogFilesLoader {
  let files: LogFiles | null = null;
  return {
    async load() {
      const { createLogFiles } = await import('./log-files.ts');
      return (files ??= createLogFiles());
    },
    loaded: () => files,
  };
}
