/** How long to wait before a worker or program that has failed is started again. */
import type { BackoffSettings } from './state.ts';

/** What is started again. It is a part of the jitter, so that the jitter of one start does not depend on that of another. */
export interface BackoffKey {
  readonly generation: number;
  readonly slot: number;
}

/**
 * The pause before the next start, after `failures` failures in a row before this one. Exponential: 0, 1s, 2s, 4s … up to the cap, less up to a
 * fifth of it, so that workers that failed together do not start again together. Linear: 0, 1s, 2s, 3s … as Supervisor has it.
 */
export function backoffMs(failures: number, settings: BackoffSettings, key: BackoffKey): number {
  const { kind, firstMs, maxMs, jitterSeed } = settings;
  if (failures <= 0) return 0;
  if (kind === 'linear') return Math.min(maxMs, firstMs * failures);
  const wholeMs = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return jitterSeed === null
    ? wholeMs
    : Math.round(wholeMs * (1 - maxJitter * chance(jitterSeed, key.generation, key.slot, failures)));
}

const maxJitter = 0.2;

/** A number from 0 to 1, always the same for the same numbers. The lifecycle uses no randomness, so that its steps can be repeated. */
function chance(...numbers: readonly number[]): number {
  let mixed = 0x9e3779b9;
  for (const number of numbers) {
    mixed = Math.imul(mixed ^ number, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    mixed ^= mixed >>> 16;
  }
  return (mixed >>> 0) / 2 ** 32;
}

/** How many failures in a row count when a worker ends: none if it was ready for long enough. */
export function countedFailures(
  failures: number,
  readyAt: number | null,
  endedAt: number,
  { healthyAfterMs }: BackoffSettings,
): number {
  return readyAt !== null && endedAt - readyAt >= healthyAfterMs ? 0 : failures;
}
