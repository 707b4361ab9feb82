/**
 * The interface to every tool of the comparison: start the same application on a port, reload it, and stop. Each tool has a driver that implements
 * it, and the measurements use only this interface.
 */

export interface Tool {
  readonly name: string;
  /** The configuration of the tool, in one sentence for the page. */
  readonly setup: string;
  /** Returns the version of the tool; null if it is not installed. */
  version(): string | null;
  /** True if the tool can replace its workers on demand. */
  readonly isReloadable: boolean;
  /** True if the tool has a process of its own that stays while workers come and go. */
  readonly hasMaster: boolean;
  readonly canWebSockets: boolean;
  /** Starts the tool. Resolves when it serves. */
  start(options: StartTool): Promise<RunningTool>;
}

export interface StartTool {
  readonly workers: number;
  /** Whether to serve WebSockets at `/ws`, too. Default: false; then the code for them is not loaded. */
  readonly webSockets?: boolean;
}

export interface RunningTool {
  readonly port: number;
  /** The pids of the processes that stay while workers come and go. */
  readonly masterPids: () => readonly number[];
  /** Returns the pids of the processes that serve, including those that are about to exit. */
  workerPids(): readonly number[];
  /**
   * Requests a reload as an operator would. Resolves when the tool reports that the reload is done or, if it never reports that, when the first new
   * worker responds.
   */
  reload(): Promise<void>;
  /** Runs the command of the tool again, for the same port, after its master was killed. Resolves when the command has been started, whatever becomes of it. */
  readonly startAgain: () => Promise<void> | void;
  /** Stops the tool. Resolves when none of its processes is left. */
  readonly stop: () => Promise<void>;
}
