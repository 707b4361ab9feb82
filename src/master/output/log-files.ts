/**
 * The log files of a master, each of them once, however many workers and programs write to it; and the daemons that output is sent to. Loaded only if a
 * program needs them.
 */
import type { LogDaemon, LogDaemonParts } from './log-daemon.ts';
import { createLogFile, type LogFile } from './log-file.ts';
import { placeOf } from './log-place.ts';

export interface Reopened {
  readonly paths: readonly string[];
  readonly problems: readonly string[];
}

export interface LogFiles {
  /** The log file at this absolute path. It is opened when a worker writes to it. All paths of the same place share one log file. */
  at(path: string): LogFile;
  /** Loads the code for daemons. Has to be called before daemon(). */
  loadDaemons(): Promise<void>;
  /** Makes a new daemon. Each program has its own, so that each has its own count of lost lines. */
  daemon(parts: Omit<LogDaemonParts, 'onUse'>): LogDaemon;
  /** Opens every open file again, for example after logrotate(8) has moved it. */
  reopen(): Promise<Reopened>;
  /** Resolves when everything is written. */
  flushed(): Promise<void>;
  /** Whether something waits to be written. */
  isBusy(): boolean;
  /** Counts lines that are not written yet as lost, and reports them. For the end of the master, which cannot wait for them. */
  abandon(): void;
}

export function createLogFiles(): LogFiles {
  const files = new Map<string, LogFile>();
  const daemons = new Set<LogDaemon>();
  let createLogDaemon: ((parts: LogDaemonParts) => LogDaemon) | null = null;
  return {
    at(path) {
      const place = placeOf(path);
      const file = files.get(place) ?? createLogFile(path, {}, place);
      files.set(place, file);
      return file;
    },
    async loadDaemons() {
      const loaded = await import('./log-daemon.ts');
      await loaded.loadDaemonCalls();
      ({ createLogDaemon } = loaded);
    },
    daemon(parts) {
      if (createLogDaemon === null) throw new Error('loadDaemons() comes first');
      const daemon = createLogDaemon({
        ...parts,
        onUse: (isUsed) => {
          if (isUsed) daemons.add(daemon);
          else daemons.delete(daemon);
        },
      });
      return daemon;
    },
    async reopen() {
      const open = [...files.values()].filter((file) => file.isOpen());
      const problems = await Promise.all(open.map(async (file) => file.reopen()));
      return {
        paths: open.flatMap(({ path }, index) => (problems[index] === null ? [path] : [])),
        problems: problems.flatMap((problem) => problem ?? []),
      };
    },
    isBusy: () => [...files.values(), ...daemons].some((one) => one.isBusy()),
    async flushed() {
      await Promise.all([...files.values(), ...daemons].map(async (one) => one.flushed()));
    },
    abandon() {
      for (const one of [...files.values(), ...daemons]) one.abandon();
    },
  };
}
