/** The log files of a master, each once, however many workers and programs write to it. Loaded only if a program has one. */
import { createLogFile, type LogFile } from './log-file.ts';

export interface Reopened {
  readonly paths: readonly string[];
  readonly problems: readonly string[];
}

export interface LogFiles {
  /** The file at this absolute path, which is opened when a worker writes to it. */
  at(path: string): LogFile;
  /** Opens every file again that is open, after logrotate(8) has moved it for example. */
  reopen(): Promise<Reopened>;
  /** Resolves when everything is written. */
  flushed(): Promise<void>;
}

export function createLogFiles(): LogFiles {
  const files = new Map<string, LogFile>();
  return {
    at(path) {
      const file = files.get(path) ?? createLogFile(path);
      files.set(path, file);
      return file;
    },
    async reopen() {
      const open = [...files.values()].filter((file) => file.isOpen());
      const problems = await Promise.all(open.map(async (file) => file.reopen()));
      return {
        paths: open.flatMap(({ path }, index) => (problems[index] === null ? [path] : [])),
        problems: problems.flatMap((problem) => problem ?? []),
      };
    },
    async flushed() {
      await Promise.all([...files.values()].map(async (file) => file.flushed()));
    },
  };
}
