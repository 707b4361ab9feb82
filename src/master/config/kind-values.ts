/** What the values of the options of kinds may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import { type KindValues, typeWords } from './kind-options.ts';
import { integer } from './value-schemas.ts';

const wantedType = 'server, worker or oneshot';

export const kindValues: { readonly [Name in keyof KindValues]: z.ZodMiniType<KindValues[Name]> } = {
  type: z.string(wantedType).check(z.refine((written) => typeWords.includes(written), wantedType)),
  overlap: z.boolean('true or false'),
  priority: integer(0, 999),
};
