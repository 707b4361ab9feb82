/** What the values of the options of rollouts may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import { parseRollbackOn, type RolloutValues } from './rollout-options.ts';

const wantedRollbackOn =
  'a share of failed responses, a time from 1s to 1h and a number of requests, such as 5xx > 5% over 10s, at least 50 requests, or off';

export const rolloutValues: { readonly [Name in keyof RolloutValues]: z.ZodMiniType<RolloutValues[Name]> } = {
  rollbackOn: z
    .string(wantedRollbackOn)
    .check(z.refine((written) => parseRollbackOn(written) !== undefined, wantedRollbackOn)),
};
