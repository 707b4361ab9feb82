/** The raw figures of the comparison with bare Node.js. */
import type { Count } from '../count.ts';

/** Figures of the bare application and of the same one under graceful-run, measured alternately. */
export interface Comparison {
  readonly bare: readonly number[];
  readonly managed: readonly number[];
}

/** The reason why nothing was measured. */
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
  /** Milliseconds to the first response: from the spawn (bare), or from SIGHUP to the new generation (managed), with requests to the old one all the time. */
  readonly times: Comparison;
  /** Milliseconds of a bare boot while another bare process gets requests all the time. Missing in the results of earlier versions. */
  readonly besideBusy?: readonly number[];
  /** Milliseconds of a reload without requests before the master reports that the new generation serves. */
  readonly quietReloads: readonly number[];
}

export interface FailuresResult {
  readonly client: string;
  readonly counts: (Count & { readonly reloads: number }) | NotMeasured;
}

/** Failed requests while the master upgrades itself. */
export interface UpgradesResult {
  readonly client: string;
  /** `awayMs`: for each upgrade, how long the master read nothing from its workers and answered no command. */
  readonly counts: (Count & { readonly upgrades: number; readonly awayMs: readonly number[] }) | NotMeasured;
}

export interface IdleResult {
  readonly memoryBytes: Comparison;
  /** Voluntary context switches of all threads. */
  readonly wakeUps: Comparison;
  readonly windowMs: number;
}

/** Reloads with many idle connections. */
export interface CrowdResult {
  readonly connections: number;
  /** The number of connections that have moved, over all reloads. */
  readonly moved: number;
  readonly closed: number;
  /** For each reload, the milliseconds from the end of the probation to the exit of the old worker. */
  readonly movedMs: readonly number[];
  /** The longest time that a request on one of the connections took, in milliseconds. */
  readonly longestMs: { readonly without: readonly number[]; readonly during: readonly number[] };
}

/** How load spreads over workers, for one number of workers and one way to share the address. */
export interface SpreadResult {
  readonly workers: number;
  readonly name: string;
  /** Requests per second over 32 keep-alive connections, for each run. */
  readonly keepAlive: readonly number[];
  /** For each of these runs, the processor time of all workers for each request, in microseconds. Missing in the results of earlier versions. */
  readonly processorUs?: readonly number[];
  /** For each of these runs, the open connections of each worker, the greatest number first. */
  readonly connections: readonly (readonly number[])[];
  /** Requests per second with a new connection for each. */
  readonly close: readonly number[];
  /** For each of these runs, how many of the sampled requests each worker has answered, the greatest number first. */
  readonly requests: readonly (readonly number[])[];
}

export interface OwnResults {
  readonly throughput?: readonly ThroughputResult[];
  readonly spread?: readonly SpreadResult[] | NotMeasured;
  readonly boot?: readonly BootResult[];
  readonly failures?: readonly FailuresResult[];
  readonly upgrades?: readonly UpgradesResult[];
  readonly crowd?: CrowdResult;
  readonly idle?: IdleResult;
}

export function isMeasured<Value extends object>(value: Value | NotMeasured): value is Value {
  return !('missing' in value);
}
