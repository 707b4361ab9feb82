/** Options of a program that can have no effect, beside those of sockets (tcp-options.ts). Pure. */
import { inapplicableKindOptions, type InapplicableKindOption } from './kind-options.ts';
import { inapplicableOutputOptions, type InapplicableOutputOption } from './output-options.ts';
import { inapplicableScheduleOptions, type InapplicableScheduleOption } from './schedule-options.ts';
import { inapplicableRolloutOptions, type InapplicableRolloutOption } from './rollout-options.ts';

export type InapplicableOption =
  InapplicableKindOption | InapplicableOutputOption | InapplicableRolloutOption | InapplicableScheduleOption;

/** What is written, and can have no effect. */
export function inapplicableOptions(
  options: Parameters<typeof inapplicableOutputOptions>[0] &
    Parameters<typeof inapplicableRolloutOptions>[0] &
    Parameters<typeof inapplicableScheduleOptions>[0] &
    Parameters<typeof inapplicableKindOptions>[0],
): readonly InapplicableOption[] {
  return [
    ...inapplicableKindOptions(options),
    ...inapplicableOutputOptions(options),
    ...inapplicableRolloutOptions(options),
    ...inapplicableScheduleOptions(options),
  ];
}
