/** The options that say when a worker is replaced although it serves, and what they become in a plan. Pure. */
import { parseDuration } from '../../../shared/durations.ts';
import { sizeOf } from './output-options.ts';
import { defaults } from './defaults.ts';

/** The limits of workers in code. */
export interface ReplacementOptions {
  /**
   * Replace a worker that uses more memory than this, such as `512MB`, or a number of bytes: the resident memory of all of its processes, as
   * `gracefulctl status` shows it, in two samples that are 5 s apart. Default: no limit.
   */
  readonly maxMemory?: string | number;
  /** Replace a worker when it has been ready for this time, 1s to 500h. Up to a tenth is taken off at random, so that workers are not all replaced at once. Default: no limit. */
  readonly maxLifetime?: string;
  /** Replace a Node.js worker after this many requests, 1 to 1000000000000. Up to a tenth is taken off at random. Default: no limit. */
  readonly maxRequests?: number;
  /**
   * Replace a worker that gives no sign of life for this time, 1s to 24h: a Node.js worker whose event loop does not turn, and a program that does not send
   * WATCHDOG=1 (sd_notify(3)). Default: none is expected.
   */
  readonly watchdog?: string;
  /** Minimum time between the beginnings of two such replacements in one program, 0s to 24h. Default 10s. */
  readonly replaceInterval?: string;
}

/** The same options once their values are checked. */
export interface ReplacementValues {
  readonly maxMemory: string | number;
  readonly maxLifetime: string;
  readonly maxRequests: number;
  readonly watchdog: string;
  readonly replaceInterval: string;
}

/** The limits of workers in a plan. Null: no limit. */
export interface ReplacementPlan {
  readonly maxMemoryBytes: number | null;
  readonly maxLifetimeMs: number | null;
  readonly maxRequests: number | null;
  /** How long a worker may give no sign of life. */
  readonly watchdogMs: number | null;
  readonly intervalMs: number;
}

export function replacementPlan({
  maxMemory,
  maxLifetime,
  maxRequests,
  watchdog,
  replaceInterval,
}: {
  readonly [Name in keyof ReplacementValues]?: ReplacementValues[Name] | undefined;
}): ReplacementPlan {
  return Object.freeze({
    maxMemoryBytes: maxMemory === undefined ? null : sizeOf(maxMemory),
    maxLifetimeMs: maxLifetime === undefined ? null : parseDuration(maxLifetime),
    maxRequests: maxRequests ?? null,
    watchdogMs: watchdog === undefined ? null : parseDuration(watchdog),
    intervalMs: parseDuration(replaceInterval ?? defaults.replaceInterval) ?? 0,
  });
}
