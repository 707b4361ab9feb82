/** What the values of the options of restarts may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import {
  autorestartWords,
  backoffWords,
  onFatalWords,
  parseCrashLoop,
  type RestartValues,
} from './restart-options.ts';
import { duration, integer } from './value-schemas.ts';

const wantedAutorestart = 'true, false or unexpected';
const wantedCrashLoop = 'a number of deaths and a time, such as 10 in 5m, or off';
const wantedCodes = 'a list of exit codes from 0 to 255';

export const restartValues: { readonly [Name in keyof RestartValues]: z.ZodMiniType<RestartValues[Name]> } = {
  autorestart: z.union(
    [z.boolean(wantedAutorestart), word(autorestartWords, wantedAutorestart)],
    wantedAutorestart,
  ),
  exitcodes: z.array(integer(0, 255, wantedCodes), wantedCodes),
  startretries: integer(0, 1_000_000),
  backoff: word(backoffWords, 'exponential or linear'),
  backoffMax: duration(1_000),
  crashLoop: z
    .string(wantedCrashLoop)
    .check(z.refine((written) => parseCrashLoop(written) !== undefined, wantedCrashLoop)),
  onFatal: word(onFatalWords, 'stay or exit'),
};

function word(words: readonly string[], wanted: string): z.ZodMiniType<string> {
  return z.string(wanted).check(z.refine((written) => words.includes(written), wanted));
}
