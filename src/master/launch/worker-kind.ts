/**
 * What kind of process the workers of a program are, as data: what they can do, when they are ready, which signal makes them drain.
 * Everything behind the launch asks this, and never which language a program is written in. Pure.
 */
import type { Capabilities } from '../program/lifecycle/state.ts';
import type { DrainSignal } from './drain-signals.ts';

/** A worker is ready once it listens on every declared address; `answers`: and once GET `path` returns 200 to 399. */
export type Readiness =
  | { readonly when: 'listens' }
  | {
      readonly when: 'answers';
      readonly path: string;
      /** How many more requests for that path it sends to itself, to warm up. */
      readonly warmup: number;
    };

export interface WorkerKind {
  readonly capabilities: Capabilities;
  readonly readiness: Readiness;
  /** Makes a worker that is not Node.js stop accepting, finish its requests and exit. */
  readonly drainSignal: DrainSignal;
}

/** What makes a Node.js worker drain: the preload hears it. */
export const nodeDrainSignal = 'SIGQUIT';

/** Node.js with the preload: it can do everything. */
export function nodeWorkers(
  readiness: Readiness,
  migrates: boolean,
  drainSignal: DrainSignal = 'auto',
): WorkerKind {
  return {
    capabilities: { isGated: true, migrates, reports: true },
    readiness,
    drainSignal,
  };
}
