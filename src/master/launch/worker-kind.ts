/**
 * The requirements for the workers of a program, as data: when they are ready, whether their connections move, which signal makes them drain. What a
 * worker can do is known once it is ready (lifecycle/state.ts), because a command does not tell what it starts. Pure.
 */
import type { Capabilities } from '../program/lifecycle/state.ts';
import type { DrainSignal } from './program-drain-signal.ts';

/** When a worker is ready. A Node.js worker always has to listen on every declared address as well, so that it can be admitted. */
export type Readiness =
  /** A Node.js worker listens; another program notifies (sd_notify), or has been running for a while. */
  | { readonly when: 'auto' }
  | { readonly when: 'listens' }
  /** The worker listens, and GET `path` returns 200–399. The request is made inside its process, which must be Node.js. */
  | {
      readonly when: 'answers';
      readonly path: string;
      /** How many more requests for that path the worker sends to itself, to warm up. */
      readonly warmup: number;
    }
  /** The worker calls `process.send('ready')`. */
  | { readonly when: 'sendsMessage' }
  /** The worker sends READY=1 of sd_notify(3). */
  | { readonly when: 'notifies' }
  /** The worker writes a newline to this descriptor, which it inherits. */
  | { readonly when: 'writesNewline'; readonly fd: number }
  /** A command of the operator exits with code 0. */
  | { readonly when: 'commandSucceeds'; readonly command: string }
  | { readonly when: 'lives'; readonly delayMs: number }
  /** The program's own port accepts a connection to 127.0.0.1. */
  | { readonly when: 'connects'; readonly port: number }
  /** GET of a URL on a port of the program's own returns 200–399. */
  | { readonly when: 'answersAt'; readonly host: string; readonly port: number; readonly path: string };

/** The kinds of readiness in which a worker has to give a sign in addition to listening. */
export type SignReadiness = Exclude<Readiness, { readonly when: 'auto' | 'listens' | 'answers' }>;

export interface WorkerKind {
  readonly readiness: Readiness;
  /** Whether connections move to the new workers at a reload, if both workers can do that. */
  readonly migrates: boolean;
  /** The signal that makes a worker that is not Node.js stop accepting, finish its requests and exit. */
  readonly drainSignal: DrainSignal;
}

/** The signal that makes a Node.js worker drain. The preload handles it. */
export const nodeDrainSignal = 'SIGQUIT';

export function workerKind(
  readiness: Readiness,
  migrates: boolean,
  drainSignal: DrainSignal = 'auto',
): WorkerKind {
  return { readiness, migrates, drainSignal };
}

/** The capabilities of a worker whose own process has said ready on the channel: it is Node.js with the preload. */
export function nodeCapabilities({ migrates }: WorkerKind): Capabilities {
  return { isGated: true, migrates, reports: true };
}

/** Whether a Node.js worker that has reported that it listens must also give another sign. */
export function needsSign(readiness: Readiness): readiness is SignReadiness {
  const { when } = readiness;
  return when !== 'auto' && when !== 'listens' && when !== 'answers';
}
