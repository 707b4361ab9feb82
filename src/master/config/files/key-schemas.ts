/** How a key of a config file is described, and the schemas that keys share: a variable (`${NAME}`) may stand for any value, and holds text. */
import * as z from 'zod/mini';
import type { ProgramOptions } from '../options.ts';

export interface ConfigKey {
  readonly schema: z.ZodMiniType;
  /** The type in words for people: `duration`, `list of paths`. */
  readonly type: string;
  /** The default in words for people. */
  readonly default: string;
  readonly description: string;
  /** The name of the key in Supervisor, if its users know it under the same or another name. */
  readonly supervisor: string | null;
  /** The rules of a text that the schema checks by code, as a pattern for the JSON Schema. */
  readonly pattern?: string;
  /** The option of code that takes the key's value unchanged. Missing: options-of-keys.ts converts the value. */
  readonly option?: keyof ProgramOptions;
  /** The key of which this one is another name. */
  readonly alias?: string;
}

/** What the schema accepts, in the words of the error that it reports for a missing value. */
export function wantedOf(schema: z.ZodMiniType): string {
  return schema.safeParse(undefined).error?.issues[0]?.message ?? 'something else';
}

/** The patterns of texts inside a schema, for the JSON Schema. */
export const innerRules: z.core.$ZodRegistry<Record<string, unknown>> = z.registry();

/** A pattern that also accepts a text with `${NAME}` in it, which may become anything once the variable is known. */
export function orVariable(pattern: string): string {
  return `^(?:${pattern})$|\\$\\{`;
}

/** A number, or a text of its digits, because variables hold text. */
export function numeric<Value>(
  schema: z.ZodMiniType<Value>,
  sign: 'signed' | 'unsigned' = 'unsigned',
): z.ZodMiniType {
  const wanted = wantedOf(schema);
  const digit = sign === 'signed' ? '-?\\d' : '\\d';
  const whole = new RegExp(`^${digit}{1,15}$`);
  const isOne = (text: string): boolean => whole.test(text) && schema.safeParse(Number(text)).success;
  const digits = z.string(wanted).check(z.refine(isOne, wanted));
  innerRules.add(digits, { pattern: orVariable(`${digit}+`) });
  return z.union([schema, z.pipe(digits, z.transform(Number))], wanted);
}

export function boolean(schema: z.ZodMiniType<boolean>): z.ZodMiniType {
  const wanted = wantedOf(schema);
  const isOne = (text: string): boolean => text === 'true' || text === 'false';
  const word = z.string(wanted).check(z.refine(isOne, wanted));
  innerRules.add(word, { pattern: orVariable('true|false') });
  return z.union(
    [
      schema,
      z.pipe(
        word,
        z.transform((text) => text === 'true'),
      ),
    ],
    wanted,
  );
}

/** A duration, or a number of seconds as Supervisor has it. */
export function seconds(schema: z.ZodMiniType<string>): z.ZodMiniType {
  const wanted = `${wantedOf(schema)}, or a whole number of seconds`;
  innerRules.add(schema, { pattern: duration });
  return z.union(
    [
      schema,
      z.pipe(
        z.int(wanted).check(z.gte(0, wanted), z.lte(86_400, wanted)),
        z.transform((count) => `${count}s`),
      ),
    ],
    wanted,
  );
}

/** The pattern of a duration in the JSON Schema. */
export const duration: string = orVariable('\\d+(?:\\.\\d+)?(?:ms|s|m|h)');
