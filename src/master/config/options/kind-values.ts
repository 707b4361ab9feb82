/** What the values of the options of a program's kind may be, and the words in which an error says so. Pure. */
import * as z from 'zod/mini';
import { type KindValues, typeWords } from './kind-options.ts';
import { duration, integer, oneOf, text } from './value-schemas.ts';

export const kindValues: { readonly [Name in keyof KindValues]: z.ZodMiniType<KindValues[Name]> } = {
  type: oneOf(typeWords),
  overlap: z.boolean('true or false'),
  priority: integer(0, 999),
  adoptPidFile: text('a file'),
  adoptGrace: duration(0),
};
