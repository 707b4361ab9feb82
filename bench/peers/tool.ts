/**
 * What the comparison asks of every tool, and nothing of how one does it: it starts the same work on a port, reloads it, and
 * ends. A driver knows its tool alone; the measures know drivers only through this.
 */

export interface Tool {
  readonly name: string;
  /** How it was set up, in one sentence, for the page. */
  readonly setup: string;
  /** null: it is not installed. */
  version(): string | null;
  /** It replaces its workers on demand. */
  readonly isReloadable: boolean;
  /** It stays in front of its workers, in a process of its own. */
  readonly hasMaster: boolean;
  readonly canWebSockets: boolean;
  /** Resolves when it serves. */
  start(options: StartTool): Promise<RunningTool>;
}

export interface StartTool {
  readonly workers: number;
  /** Serve WebSockets at `/ws`, too. Default: no, and nobody loads what they need. */
  readonly webSockets?: boolean;
}

export interface RunningTool {
  readonly port: number;
  /** The processes that stay while workers come and go. */
  readonly masterPids: readonly number[];
  /** The processes that serve, those included that are on their way out. */
  workerPids(): readonly number[];
  /**
   * Asks for a reload as an operator would. Resolves when the tool says that it is done; of a tool that never says so, when the
   * first of its new workers answers.
   */
  reload(): Promise<void>;
  /** Resolves when none of its processes is left. */
  readonly stop: () => Promise<void>;
}
