/** How long to wait before a crashed worker is replaced: at once, then growing pauses. */
import type { BackoffSettings } from './state.ts';

export const defaultBackoff: BackoffSettings = { firstMs: 1_000, maxMs: 30_000, healthyAfterMs: 30_000 };

/** The pause before the next start, after `failures` failures in a row before this one: 0, 1s, 2s, 4s … 30s. */
export function backoffMs(failures: number, { firstMs, maxMs }: BackoffSettings): number {
  if (failures <= 0) return 0;
  return Math.min(maxMs, firstMs * 2 ** (failures - 1));
}

/** The failures in a row that count when a worker ends: none if it was ready for long enough. */
export function countedFailures(
  failures: number,
  readyAt: number | null,
  endedAt: number,
  { healthyAfterMs }: BackoffSettings,
): number {
  return readyAt !== null && endedAt - readyAt >= healthyAfterMs ? 0 : failures;
}
