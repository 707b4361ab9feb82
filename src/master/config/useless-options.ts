/** Options of a program that can have no effect, beside those of sockets (tcp-options.ts). Pure. */
import { uselessOutputOptions, type UselessOutputOption } from './output-options.ts';
import { uselessRolloutOptions, type UselessRolloutOption } from './rollout-options.ts';

export type UselessOption = UselessOutputOption | UselessRolloutOption;

/** What is written, and can have no effect. */
export function uselessOptions(
  options: Parameters<typeof uselessOutputOptions>[0] & Parameters<typeof uselessRolloutOptions>[0],
): readonly UselessOption[] {
  return [...uselessOutputOptions(options), ...uselessRolloutOptions(options)];
}
