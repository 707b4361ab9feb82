/** What the values of a group may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import { isProgramName, programNameRule } from '../../../shared/program-name.ts';
import { integer } from './value-schemas.ts';

const wantedName = `a name of ${programNameRule}`;
const wantedPrograms = 'a list of names of programs, such as ["web", "queue"]';

export const groupValues: {
  readonly programs: z.ZodMiniType<string[]>;
  readonly priority: z.ZodMiniType<number>;
} = {
  programs: z
    .array(z.string(wantedPrograms).check(z.refine(isProgramName, wantedPrograms)), wantedPrograms)
    .check(z.minLength(1, wantedPrograms)),
  priority: integer(0, 999),
};

/** The groups of a plan in code, each under its name. */
export const groupsShape: z.ZodMiniType<
  Record<string, { programs: string[]; priority?: number | undefined }>
> = z.record(
  z.string().check(z.refine(isProgramName, wantedName)),
  z.strictObject({ programs: groupValues.programs, priority: z.optional(groupValues.priority) }),
  'a table of groups',
);
