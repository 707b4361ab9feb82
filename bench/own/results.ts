/** The raw figures of graceful-run against bare Node.js. */

/** Figures of the bare application and of the same one behind graceful-run, taken in turns. */
export interface Comparison {
  readonly bare: readonly number[];
  readonly managed: readonly number[];
}

/** Nothing was measured, and why. */
export interface NotMeasured {
  readonly missing: string;
}

export interface ThroughputResult {
  readonly name: string;
  /** Requests per second. */
  readonly rates: Comparison | NotMeasured;
}

export interface BootResult {
  readonly app: string;
  /**
   * Milliseconds to the first answer: from the spawn (bare), from SIGHUP to the new generation (managed) while the old
   * one is asked all the time.
   */
  readonly times: Comparison;
  /** The same for a reload during which nobody is asked before the master says that the new generation serves. */
  readonly quietReloads: readonly number[];
}

export interface FailuresResult {
  readonly client: string;
  readonly counts:
    | {
        readonly reloads: number;
        readonly requests: number;
        readonly failed: number;
        /** By kind, as far as the client tells. */
        readonly kinds: Readonly<Record<string, number>>;
      }
    | NotMeasured;
}

export interface IdleResult {
  readonly memoryBytes: Comparison;
  /** Voluntary context switches of all threads. */
  readonly wakeUps: Comparison;
  readonly windowMs: number;
}

/** A crowd of idle connections, and reloads. */
export interface CrowdResult {
  readonly connections: number;
  /** In all reloads together. */
  readonly moved: number;
  readonly closed: number;
  /** Of each reload: milliseconds from the end of the probation until the old worker was gone. */
  readonly movedMs: readonly number[];
  /** Milliseconds that the one of the crowd waited for an answer that waited longest. */
  readonly longestMs: { readonly without: readonly number[]; readonly during: readonly number[] };
}

export interface OwnResults {
  readonly throughput?: readonly ThroughputResult[];
  readonly boot?: readonly BootResult[];
  readonly failures?: readonly FailuresResult[];
  readonly crowd?: CrowdResult;
  readonly idle?: IdleResult;
}

export function isMeasured<Value extends object>(value: Value | NotMeasured): value is Value {
  return !('missing' in value);
}
