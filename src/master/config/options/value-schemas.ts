/** The schemas that values of options share, and the words in which an error says what they take. */
import * as z from 'zod/mini';
import { formatDuration, parseDuration } from '../../../shared/durations.ts';

const dayMs = 86_400_000;

/** The schema of a text that is a duration. */
export function duration(minMs: number): z.ZodMiniType<string> {
  const wanted = `a duration from ${minMs === 0 ? '0s' : formatDuration(minMs)} to 24h, such as 30s, 500ms or 2m`;
  const isInRange = (written: string): boolean => {
    const ms = parseDuration(written);
    return ms !== null && ms >= minMs && ms <= dayMs;
  };
  return z.string(wanted).check(z.refine(isInRange, wanted));
}

export function integer(
  min: number,
  max: number,
  wanted: string = `a whole number from ${min} to ${max}`,
): z.ZodMiniType<number> {
  return z.int(wanted).check(z.gte(min, wanted), z.lte(max, wanted));
}

/** The schema of a text that is not empty. */
export function text(wanted: string): z.ZodMiniType<string> {
  return z.string(wanted).check(z.minLength(1, wanted));
}

export function oneOf(words: readonly string[]): z.ZodMiniType<string> {
  const wanted = `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
  return z.string(wanted).check(z.refine((written) => words.includes(written), wanted));
}
