/**
 * What a running master can be told to do, by a signal, over the control socket or by an embedder. A request is a value, an answer is a
 * value, a refusal is a GracefulRunError.
 */
import type {
  ReloadAccepted,
  ReloadResult,
  ReloadWait,
  Scaled,
  Status,
  StopAccepted,
} from '../../shared/control-api.ts';
import type { Cause, EventRecord } from '../../shared/events.ts';
import type { CountChange } from '../program/lifecycle/inputs.ts';

export interface ReloadCommand {
  readonly cause: Cause;
  readonly wait: ReloadWait;
}

export interface ScaleCommand {
  /** How many workers more or fewer, never fewer than one; or how many in all. */
  readonly change: CountChange;
}

export interface StopCommand {
  readonly cause: Cause;
}

export interface Commands {
  /** Asks the workers that drain what they still have open, which takes up to 0.3 s. */
  status(): Promise<Status>;
  /**
   * Asks for a new generation. While a reload runs, any number of requests become one more. `outcome` resolves when that generation has
   * failed, or has come to what `wait` names. Errors: `masterStopped`, thrown at once or by `outcome`.
   */
  reload(command: ReloadCommand): {
    readonly accepted: ReloadAccepted;
    readonly outcome: Promise<ReloadResult>;
  };
  /** Changes the number of workers. Errors: `masterStopped`. */
  scale(command: ScaleCommand): Scaled;
  /** Drains every worker; `done` resolves when none is left. A second request kills them. */
  stop(command: StopCommand): { readonly accepted: StopAccepted; readonly done: Promise<void> };
  /** Delivers every event from now on, until the returned function is called. */
  subscribe(listener: (event: EventRecord) => void): () => void;
}
