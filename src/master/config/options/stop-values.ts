/** What the values of the options of a stop may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import { parseSteps, type StopOptions, stopSignals } from './stop-options.ts';
import { duration } from './value-schemas.ts';

const wantedSignals = `signals, each with the time to wait for the exit, such as TERM, or TERM 10s, INT 5s, KILL; the signals are ${stopSignals.slice(0, -1).join(', ')}, and KILL, which comes last`;

/** The schemas of the stop options. */
export const stopValues: {
  readonly [Name in keyof Required<StopOptions>]: z.ZodMiniType<Required<StopOptions>[Name]>;
} = {
  stopSignal: z
    .string(wantedSignals)
    .check(z.refine((written) => parseSteps(written) !== null, wantedSignals)),
  stopwaitsecs: duration(0),
  stopasgroup: z.boolean('true or false'),
};
