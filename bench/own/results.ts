/** The raw figures of a run: what the measurements hand to the renderer, and what `--json` writes. */

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

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly kernel: string;
  readonly node: string;
  readonly date: string;
}

export interface Results {
  readonly machine: Machine;
  /** Too little was measured to compare anything. */
  readonly isQuick: boolean;
  readonly throughput: readonly ThroughputResult[];
  readonly boot: readonly BootResult[];
  readonly failures: readonly FailuresResult[];
  readonly idle: IdleResult;
}

/** How much is measured. */
export interface Effort {
  readonly isQuick: boolean;
  /** Rounds of a throughput measurement; in each both sides have their turn. */
  readonly throughputRounds: number;
  readonly throughputMs: number;
  readonly boots: number;
  readonly reloads: number;
  readonly idleRounds: number;
  readonly idleMs: number;
}

export const fullEffort: Effort = {
  isQuick: false,
  throughputRounds: 9,
  throughputMs: 4_000,
  boots: 25,
  reloads: 12,
  idleRounds: 5,
  idleMs: 10_000,
};
export const quickEffort: Effort = {
  isQuick: true,
  throughputRounds: 1,
  throughputMs: 1_000,
  boots: 3,
  reloads: 3,
  idleRounds: 1,
  idleMs: 2_000,
};

export function isMeasured<Value extends object>(value: Value | NotMeasured): value is Value {
  return !('missing' in value);
}
