/** Which release a generation runs, and which a worker that replaced a crashed one, of those that `releases.ts` has found. Pure. */
import type { EventWithoutRelease, MasterEvent, Release } from '../../../shared/events.ts';

/** The release of one generation, as plain data. */
export interface KnownRelease {
  readonly generation: number;
  readonly release: Release;
  /** Tells two versions of one program file apart. */
  readonly identity: string;
  /** Workers that run another release than their generation's. */
  readonly others: readonly { readonly slot: number; readonly release: Release }[];
}

/** The release that a generation runs; null for a generation that was not started, or long ago. */
export function releaseOf(known: readonly KnownRelease[], generation: number): Release | null {
  return known.find((one) => one.generation === generation)?.release ?? null;
}

/**
 * Adds to an event of the lifecycle what the lifecycle does not know: the release that the generation runs and, if the program is a oneshot (it serves nobody, and
 * ends when its work is done), `isOneshot`.
 */
export function withRelease(
  event: EventWithoutRelease,
  known: readonly KnownRelease[],
  isOneshot: boolean,
): MasterEvent {
  const { event: name } = event;
  const ofOneshot = isOneshot ? { isOneshot } : {};
  if (name === 'workerNotReplaced' || name === 'stopped') return { ...event, ...ofOneshot };
  if (name === 'generationReady')
    return { ...event, release: releaseOf(known, event.generation), ...ofOneshot };
  return name === 'generationStarted' || name === 'generationFailed' || name === 'generationRolledBack'
    ? { ...event, release: releaseOf(known, event.generation) }
    : event;
}

/**
 * The release of the worker in this slot, if it is not that of its generation: the worker replaced a crashed one after the release was switched. Null
 * otherwise.
 */
export function otherReleaseIn(
  known: readonly KnownRelease[],
  generation: number,
  slot: number,
): Release | null {
  const others = known.find((one) => one.generation === generation)?.others ?? [];
  return others.find((other) => other.slot === slot)?.release ?? null;
}
