/**
 * What every tool of the comparison can do: start the same application on a port, reload it, and stop. Each tool has a driver that
 * implements this, and the measurements use only this.
 */

export interface Tool {
  readonly name: string;
  /** How it is configured, in one sentence for the page. */
  readonly setup: string;
  /** Null if it is not installed. */
  version(): string | null;
  /** It can replace its workers on demand. */
  readonly isReloadable: boolean;
  /** It has a process of its own that stays while workers come and go. */
  readonly hasMaster: boolean;
  readonly canWebSockets: boolean;
  /** Resolves when it serves. */
  start(options: StartTool): Promise<RunningTool>;
}

export interface StartTool {
  readonly workers: number;
  /** Serve WebSockets at `/ws` too. Default: false; then nothing loads what they need. */
  readonly webSockets?: boolean;
}

export interface RunningTool {
  readonly port: number;
  /** The processes that stay while workers come and go. */
  readonly masterPids: readonly number[];
  /** The processes that serve, including those that are about to exit. */
  workerPids(): readonly number[];
  /**
   * Requests a reload as an operator would. Resolves when the tool reports that it is done or, if a tool never reports it, when the first
   * new worker responds.
   */
  reload(): Promise<void>;
  /** Resolves when none of its processes is left. */
  readonly stop: () => Promise<void>;
}
