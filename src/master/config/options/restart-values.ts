/** What the values of the options of restarts may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import {
  autorestartWords,
  backoffWords,
  onFatalWords,
  parseCrashLoop,
  type RestartValues,
} from './restart-options.ts';
import { duration, integer, oneOf } from './value-schemas.ts';

const wantedAutorestart = 'true, false or unexpected';
const wantedCrashLoop = 'a number of deaths and a time, such as 10 in 5m, or off';
const wantedCodes = 'a list of exit codes from 0 to 255';

export const restartValues: { readonly [Name in keyof RestartValues]: z.ZodMiniType<RestartValues[Name]> } = {
  autorestart: z.union([z.boolean(wantedAutorestart), oneOf(autorestartWords)], wantedAutorestart),
  exitcodes: z.array(integer(0, 255, wantedCodes), wantedCodes),
  startretries: integer(0, 1_000_000),
  backoff: oneOf(backoffWords),
  backoffMax: duration(1_000),
  crashLoop: z
    .string(wantedCrashLoop)
    .check(z.refine((written) => parseCrashLoop(written) !== undefined, wantedCrashLoop)),
  onFatal: oneOf(onFatalWords),
};
