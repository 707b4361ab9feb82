/** Options of a program that can have no effect, beside those of sockets (tcp-options.ts). Pure. */
import { uselessKindOptions, type UselessKindOption } from './kind-options.ts';
import { uselessOutputOptions, type UselessOutputOption } from './output-options.ts';
import { uselessScheduleOptions, type UselessScheduleOption } from './schedule-options.ts';
import { uselessRolloutOptions, type UselessRolloutOption } from './rollout-options.ts';

export type UselessOption =
  UselessKindOption | UselessOutputOption | UselessRolloutOption | UselessScheduleOption;

/** What is written, and can have no effect. */
export function uselessOptions(
  options: Parameters<typeof uselessOutputOptions>[0] &
    Parameters<typeof uselessRolloutOptions>[0] &
    Parameters<typeof uselessScheduleOptions>[0] &
    Parameters<typeof uselessKindOptions>[0],
): readonly UselessOption[] {
  return [
    ...uselessKindOptions(options),
    ...uselessOutputOptions(options),
    ...uselessRolloutOptions(options),
    ...uselessScheduleOptions(options),
  ];
}
