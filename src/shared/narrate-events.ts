/**
 * Renders events in their order: one line for each, and for a failure its details below. It remembers what was reported, so that a failure that
 * several events carry (worker, generation, stop) is explained once. Used by the log and by `gracefulctl events`.
 */
import { describe, type Detail } from './describe-event.ts';
import { describeFailure, failureOf } from './describe-failure.ts';
import type { MasterEvent, Failure } from './events.ts';
import { type Paint, plainPaint } from './paint.ts';

export interface Told {
  readonly line: string;
  readonly details: readonly string[];
}

export interface NarrateOptions {
  readonly paint?: Paint;
  /** Whether the worker's last lines belong to the details. They do not if its stderr is shown anyway. Default: true. */
  readonly showsOutput?: boolean;
}

/** What has been reported about one program. */
interface Memory {
  /** The generation that has yet to prove itself: if one of its workers fails, the line about the generation says why. */
  candidate: number | null;
  /** The failure that was reported last, as JSON; null if there was none. */
  told: string | null;
}

export function createNarrator({ paint = plainPaint, showsOutput = true }: NarrateOptions = {}): (
  event: MasterEvent,
) => Told {
  const memories = new Map<string, Memory>();

  return (event) => {
    const program = 'program' in event && typeof event.program === 'string' ? event.program : '';
    const memory = memories.get(program) ?? { candidate: null, told: null };
    memories.set(program, memory);
    if (event.event === 'generationStarted') memory.candidate = event.generation;
    const failure = failureOf(event);
    if (event.event === 'workerFailed' && event.generation === memory.candidate)
      return { line: describe(event, { paint, detail: 'outcome' }), details: [] };
    if (
      event.event === 'generationReady' ||
      event.event === 'generationFailed' ||
      event.event === 'generationRolledBack'
    )
      memory.candidate = null;
    if (failure === null) return { line: describe(event, { paint }), details: [] };
    const key = JSON.stringify(failure);
    const isTold = key === memory.told;
    memory.told = key;
    const shown: Failure = showsOutput ? failure : { ...failure, stderrTail: [], outcome: null };
    return {
      line: describe(event, { paint, detail: detailOf(event, isTold) }),
      details: isTold ? [] : describeFailure(shown, paint),
    };
  };
}

/** How much is said about a failure. The line about a generation always says why: alarms are made from it. */
function detailOf({ event }: MasterEvent, isTold: boolean): Detail {
  if (!isTold || event === 'generationFailed' || event === 'generationRolledBack') return 'reason';
  return event === 'stopped' ? 'outcome' : 'message';
}
