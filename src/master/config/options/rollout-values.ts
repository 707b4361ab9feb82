/** What the values of the options of rollouts may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import { parseAmount, parseRollbackOn, type RolloutValues } from './rollout-options.ts';
import { duration, integer } from './value-schemas.ts';

const wantedRollbackOn =
  'a share of failed responses, a time from 1s to 1h and a number of requests, such as 5xx > 5% over 10s, at least 50 requests, or off';

const wantedAmount = 'a number of workers from 0 to 1024, or a share of them from 0% to 100%';

const amount = z
  .union([z.string(), z.number()], wantedAmount)
  .check(z.refine((written) => parseAmount(written) !== null, wantedAmount));

export const rolloutValues: { readonly [Name in keyof RolloutValues]: z.ZodMiniType<RolloutValues[Name]> } = {
  maxSurge: amount,
  maxUnavailable: amount,
  rolloutPause: duration(0),
  canary: integer(0, 1023),
  canaryTime: duration(0),
  rollbackOn: z
    .string(wantedRollbackOn)
    .check(z.refine((written) => parseRollbackOn(written) !== undefined, wantedRollbackOn)),
};
