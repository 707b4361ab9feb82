/**
 * What is wanted of the workers of a program, as data: when they are ready, whether their connections move, which signal makes them drain. What
 * a worker can do is known when it is ready (lifecycle/state.ts), because a command does not tell what it starts. Pure.
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
  readonly readiness: Readiness;
  /** Connections move to the new workers at a reload, if both can do that. */
  readonly migrates: boolean;
  /** Makes a worker that is not Node.js stop accepting, finish its requests and exit. */
  readonly drainSignal: DrainSignal;
}

/** What makes a Node.js worker drain: the preload hears it. */
export const nodeDrainSignal = 'SIGQUIT';

export function workerKind(
  readiness: Readiness,
  migrates: boolean,
  drainSignal: DrainSignal = 'auto',
): WorkerKind {
  return { readiness, migrates, drainSignal };
}

/** Those of a worker whose own process has said ready on the channel, which is Node.js with the preload. */
export function nodeCapabilities({ migrates }: WorkerKind): Capabilities {
  return { isGated: true, migrates, reports: true };
}
