/**
 * The accept gate of this worker: decides when its servers accept connections on the declared listeners.
 * INVARIANT: before `admit`, and after `close`, no server accepts a connection on a declared listener.
 * `guard` keeps it for real handles; after `close`, servers get stand-in handles, which never accept (listener-bindings.ts).
 */
import { declaredName } from '../../shared/protocol.ts';
import type { HeldHandle } from '../node-internals/listening-handle.ts';
import { writeListener } from './addresses.ts';
import type { Binding } from './binding.ts';

export interface AcceptGateParts {
  /** Every binding of this worker that is not undecided. */
  readonly bindings: readonly Binding[];
  /** Called at admission, when the servers have begun to accept. */
  readonly opened: () => void;
  /** True while connections from the queue of an undecided listener are still being accepted. */
  readonly isAcceptingQueue: () => boolean;
}

export interface AcceptGate {
  phase(): 'gated' | 'admitted' | 'closed';
  /** Calls `holdBack` for the binding's handle unless it may accept now. Call it before the handle listens. */
  guard(binding: Binding, holdBack: () => HeldHandle): void;
  /**
   * Opens the gate. Calls `done` once: with null when a server accepts on every listener, or with the problem if that is not possible. A second call
   * does nothing.
   */
  readonly admit: (done: (problem: string | null) => void) => void;
  /** Call it when a server has begun to listen, or a queue has been emptied: that may complete the admission. */
  recheck(): void;
  /** Makes `guard` hold handles back again, until `resume`. Returns false if the gate is not open. */
  pause(): boolean;
  /** True while the gate is paused and no server accepts. */
  readonly isPaused: () => boolean;
  /** Makes the servers accept again. Returns the problem, or null if there is none. */
  readonly resume: () => string | null;
  /** Closes the gate for good: a server that is told to listen after this does not accept. */
  readonly close: () => void;
}

export function createAcceptGate({ bindings, opened, isAcceptingQueue }: AcceptGateParts): AcceptGate {
  let phase: 'gated' | 'admitted' | 'closed' = 'gated';
  let isPaused = false;
  /** Set while the admission waits for a server that was closed after the worker was ready, and listens again. */
  let whenAccepting: ((problem: null) => void) | null = null;

  function recheck(): void {
    if (whenAccepting === null || bindings.some(({ state }) => state === 'requested')) return;
    // The master closes the undecided listener before it reports that the generation serves, so its queue has to be empty first.
    if (isAcceptingQueue()) return;
    const held = new Set(
      bindings.filter(({ state }) => state === 'held').map(({ listener }) => declaredName(listener)),
    );
    if (bindings.some((binding) => !held.has(declaredName(binding.listener)))) return;
    const done = whenAccepting;
    whenAccepting = null;
    done(null);
  }

  /** Lets the handles that are held back accept. Returns the problem, or null if there is none. */
  function releaseHandles(): string | null {
    let problem: string | null = null;
    for (const binding of bindings) {
      const { heldBack, listener } = binding;
      const errno = heldBack?.listen(listener.backlog) ?? 0;
      binding.heldBack = null;
      if (errno !== 0) problem = `listen on ${writeListener(listener)} failed with ${errorName(errno)}`;
    }
    return problem;
  }

  return {
    phase: () => phase,
    guard(binding, holdBack) {
      if (phase !== 'admitted' || isPaused) binding.heldBack = holdBack();
    },
    admit: (done) => {
      if (phase !== 'gated') return;
      phase = 'admitted';
      const problem = releaseHandles();
      if (problem !== null) {
        done(problem);
        return;
      }
      opened();
      whenAccepting = done;
      recheck();
    },
    recheck,
    pause() {
      isPaused = phase === 'admitted';
      return isPaused;
    },
    isPaused: () =>
      isPaused && bindings.every(({ state, heldBack }) => state !== 'held' || heldBack !== null),
    resume: () => {
      isPaused = false;
      return phase === 'admitted' ? releaseHandles() : null;
    },
    close: () => {
      phase = 'closed';
    },
  };
}

function errorName(errno: number): string {
  return process.getBuiltinModule('node:util').getSystemErrorName(-Math.abs(errno));
}
