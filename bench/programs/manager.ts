/**
 * What every tool of the comparison of many programs can do: start them from its own config file, and be operated by its own command. Each
 * tool has a driver that implements this, and the measurement uses only this.
 */

export interface Manager {
  readonly name: string;
  /** How it is configured, in one sentence for the page. */
  readonly setup: string;
  /** Null if it is not installed. */
  version(): string | null;
  /** Returns when the tool has been started, which may be before its programs serve. */
  start(programs: readonly ProgramToRun[]): Promise<RunningManager>;
}

/** A tiny server, with as many workers as it has ports. */
export interface ProgramToRun {
  readonly name: string;
  /** One for each worker, and all programs have as many. A tool whose workers share a port uses the first. */
  readonly ports: readonly number[];
}

/** A way to apply a change of the config file. */
export interface Update {
  /** As an operator types it. */
  readonly command: string;
  readonly run: (program: ProgramToRun) => Promise<void>;
}

export interface RunningManager {
  /** The processes that are not workers. */
  readonly masterPids: () => readonly number[];
  /** The processes that serve, including those that are about to exit. */
  readonly workerPids: () => readonly number[];
  /** The ports of a program on which clients are served. */
  readonly portsOf: (program: ProgramToRun) => readonly number[];
  /** Asks for the state of all programs. */
  readonly status: () => Promise<void>;
  /** Writes the config file anew; the program has another environment in it. Nothing is applied yet. */
  readonly edit: (program: ProgramToRun, release: number) => void;
  readonly updates: readonly Update[];
  /** Replaces the workers of all programs, gracefully if the tool can. Resolves when its command returns. */
  readonly reloadAll: () => Promise<void>;
  /** Stops the programs and the tool. Resolves when its command returns. */
  readonly stop: () => Promise<void>;
  /** Kills what is left of it, and deletes its files. */
  readonly remove: () => void;
  /** Where it puts its files: sockets, logs, temporary ones. */
  readonly folder: string;
  /** The files in it that the bench wrote. */
  readonly ownFiles: readonly string[];
}
