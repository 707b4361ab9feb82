/** How the programs of a master stop: one of them, for a while or for good, or all of them, each after those that depend on it. */
import type { Cause } from '../../shared/events.ts';
import { sameStopMs } from '../config/options/fixed-bounds.ts';
import { dependentsOf, isScheduled, type Member } from './member.ts';
import { dependentsFirst } from './start-order.ts';

export interface OrderedStops {
  /** Stops the member. Resolves when it is at rest. A second call kills its workers. */
  stop(member: Member, cause: Cause): Promise<void>;
  /** As stop(), but a program that already drains continues to drain. */
  end(member: Member, cause: Cause): Promise<void>;
  /**
   * Stops the member so that it can be started again with another plan. Resolves when it is at rest. It stays wanted, unless an operator stops it in the
   * meantime.
   */
  suspend(member: Member, cause: Cause): Promise<void>;
  /** Stops all programs, each after those that depend on it, and starts none from now on. A second call kills all workers. */
  stopAll(cause: Cause): Promise<void>;
}

export interface OrderedStopsParts {
  readonly members: () => readonly Member[];
  readonly nowMs: () => number;
  /** The error for a request that a stop has overtaken. */
  readonly stopped: (action: string, program: string) => Error;
  /** Called when a program is no longer wanted. */
  readonly onStop: () => void;
}

/** `isEnding`: whether all programs were told to stop for good. */
export function createOrderedStops({ members, nowMs, stopped, onStop }: OrderedStopsParts): {
  readonly stops: OrderedStops;
  readonly isEnding: () => boolean;
} {
  /** When all programs were told to stop for good; null if they were not. */
  let endingSince: number | null = null;
  /** Whether they were told a second time. */
  let isUrgent = false;

  async function stop(member: Member, cause: Cause, how = { isUrgent: false }): Promise<void> {
    member.isWanted = false;
    member.isDue = false;
    onStop();
    for (const waiting of member.starts) waiting.resolve(stopped('start', member.program.name()));
    member.starts = [];
    const isStoppingAnyway = member.isSuspended && !how.isUrgent;
    member.isSuspended = false;
    if (!isStoppingAnyway) member.program.stop(cause, how);
    await member.rest.promise;
  }

  async function end(member: Member, cause: Cause): Promise<void> {
    const isStopping = !member.isWanted && member.program.phase() === 'stopping';
    await (isStopping ? member.rest.promise : stop(member, cause));
  }

  async function suspend(member: Member, cause: Cause): Promise<void> {
    if (!member.isWanted || member.isBinding || isScheduled(member)) {
      const { isWanted } = member;
      await end(member, cause);
      member.isWanted = isWanted;
      return;
    }
    member.isDue = false;
    for (const waiting of member.starts.splice(0)) waiting.resolve(stopped('start', member.program.name()));
    if (member.program.phase() !== 'stopping') {
      member.isSuspended = true;
      member.program.stop(cause);
    }
    await member.rest.promise;
  }

  async function stopAll(cause: Cause): Promise<void> {
    const now = nowMs();
    if (endingSince === null) {
      endingSince = now;
      for (const member of members()) member.isDue = false;
    } else if (cause !== 'signal' || now - endingSince >= sameStopMs) {
      isUrgent = true;
      for (const member of members())
        if (member.program.phase() === 'stopping') void stop(member, cause, { isUrgent });
    }
    await dependentsFirst(dependentsOf(members()), async (name) => {
      // An update may have removed the program while others ended.
      const member = members().find(({ program }) => program.name() === name);
      if (member === undefined) return;
      const ended = end(member, cause);
      if (isUrgent && member.program.phase() === 'stopping') void stop(member, cause, { isUrgent });
      await ended;
    });
  }

  return {
    stops: { stop: async (member, cause) => stop(member, cause), end, suspend, stopAll },
    isEnding: () => endingSince !== null,
  };
}
