/** What the values of the options of processes may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import { limitNames, type ProcessOptions, processPatterns } from './launch-options.ts';
import { integer } from './value-schemas.ts';

function text(pattern: string, wanted: string): z.ZodMiniType<string> {
  const whole = new RegExp(`^(?:${pattern})$`);
  return z.string(wanted).check(z.refine((written) => whole.test(written), wanted));
}

const wantedUser =
  'a user, by name or number, with a group if wanted, such as www-data, www-data:web or 33:33';
const wantedLimit = 'a whole number, unlimited, or SOFT:HARD, such as 4096 or 1024:4096';
const wantedLimits = `a table of limits, named ${limitNames.slice(0, -1).join(', ')} or ${limitNames.at(-1) ?? ''}`;

const limit: z.ZodMiniType<string | number> = z.union(
  [z.int(wantedLimit).check(z.gte(0, wantedLimit)), text(processPatterns.limit, wantedLimit)],
  wantedLimit,
);

/** The schemas of the options of a process. */
export const processValues: {
  readonly [Name in keyof Required<ProcessOptions>]: z.ZodMiniType<Required<ProcessOptions>[Name]>;
} = {
  user: text(processPatterns.user, wantedUser),
  umask: text(processPatterns.umask, 'a mask of permission bits in octal digits, such as 027'),
  nice: integer(-20, 19),
  limits: z
    .record(z.string(), limit, wantedLimits)
    .check(
      z.refine(
        (limits) => Object.keys(limits).every((name) => (limitNames as readonly string[]).includes(name)),
        wantedLimits,
      ),
    ),
  noNewPrivileges: z.boolean('true or false'),
  cpuAffinity: text(processPatterns.cpus, 'a list of CPUs, such as 0, 0-3 or 0-3,6'),
  oomScoreAdj: integer(-1000, 1000),
};
