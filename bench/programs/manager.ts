/**
 * The interface to every tool in the comparison of many programs: start them from its own config file, and be operated by its own command. Each tool
 * has a driver that implements it, and the measurement uses only this interface.
 */

export interface Manager {
  readonly name: string;
  /** The configuration of the tool, in one sentence for the page. */
  readonly setup: string;
  /** Returns the version of the tool; null if it is not installed. */
  version(): string | null;
  /** Starts the tool. Resolves when it has been started, which may be before its programs serve. */
  start(programs: readonly ProgramToRun[]): Promise<RunningManager>;
}

/** A tiny server, with as many workers as it has ports. */
export interface ProgramToRun {
  readonly name: string;
  /** A port for each worker. All programs have the same number. A tool whose workers share a port uses the first. */
  readonly ports: readonly number[];
}

/** A way to apply a change of the config file. */
export interface Update {
  /** The command, as an operator types it. */
  readonly command: string;
  readonly run: (program: ProgramToRun) => Promise<void>;
}

export interface RunningManager {
  /** Returns the pids of the processes that are not workers. */
  readonly masterPids: () => readonly number[];
  /** Returns the pids of the processes that serve, including those that are about to exit. */
  readonly workerPids: () => readonly number[];
  /** Returns the ports of a program on which clients are served. */
  readonly portsOf: (program: ProgramToRun) => readonly number[];
  /** Requests the state of all programs. */
  readonly status: () => Promise<void>;
  /** Rewrites the config file so that the program has another environment. Nothing is applied yet. */
  readonly edit: (program: ProgramToRun, release: number) => void;
  readonly updates: readonly Update[];
  /** Replaces the workers of all programs, gracefully if the tool can. Resolves when its command returns. */
  readonly reloadAll: () => Promise<void>;
  /** Stops the programs and the tool. Resolves when its command returns. */
  readonly stop: () => Promise<void>;
  /** Kills the processes that are left of the tool, and deletes its files. */
  readonly remove: () => void;
  /** The folder with the tool's files: sockets, logs, temporary ones. */
  readonly folder: string;
  /** The files in that folder that the bench wrote. */
  readonly ownFiles: readonly string[];
}
