/**
 * Tells facts in their order: one line each, and for a failure what there is to say below it. It remembers what was told, so that one
 * failure that several facts carry (worker, generation, stop) is explained once. Used by the log and by `gracefulctl events`.
 */
import { describe, describeFailure, failureOf } from './describe-event.ts';
import type { Fact, Failure } from './events.ts';
import { type Paint, plainPaint } from './paint.ts';

export interface Told {
  readonly line: string;
  readonly details: readonly string[];
}

export interface NarrateOptions {
  readonly paint?: Paint;
  /** Whether the worker's last lines belong to the details; not where its stderr is shown anyway. Default true. */
  readonly showsOutput?: boolean;
}

export function createNarrator({ paint = plainPaint, showsOutput = true }: NarrateOptions = {}): (
  fact: Fact,
) => Told {
  /** The generation that has yet to prove itself: if one of its workers fails, the line about the generation says why. */
  let candidate: number | null = null;
  let told: string | null = null;

  return (fact) => {
    if (fact.event === 'generationStarted') candidate = fact.generation;
    const failure = failureOf(fact);
    if (fact.event === 'workerFailed' && fact.generation === candidate)
      return { line: describe(fact, { paint, isShort: true }), details: [] };
    if (fact.event === 'generationReady' || fact.event === 'generationFailed') candidate = null;
    if (failure === null) return { line: describe(fact, { paint }), details: [] };
    const key = JSON.stringify(failure);
    const isTold = key === told;
    told = key;
    const shown: Failure = showsOutput ? failure : { ...failure, stderrTail: [], outcome: null };
    return {
      line: describe(fact, { paint, isShort: isTold && !isAboutGeneration(fact) }),
      details: isTold ? [] : describeFailure(shown, paint),
    };
  };
}

/** Its line always says why: it is the one that alarms are made of. */
function isAboutGeneration(fact: Fact): boolean {
  return fact.event === 'generationFailed' || fact.event === 'generationRolledBack';
}
