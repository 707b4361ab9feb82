/** What the values of the limits of workers may be, and in which words an error says so. Pure. */
import * as z from 'zod/mini';
import { parseDuration } from '../../../shared/durations.ts';
import { sizeOf } from './output-options.ts';
import type { ReplacementValues } from './replacement-options.ts';
import { duration, integer } from './value-schemas.ts';

const wantedSize = 'a size of at least 1MB, such as 512MB or 2GB, or a number of bytes';
const wantedLifetime = 'a duration from 1s to 500h, such as 24h or 90m';
const leastBytes = 1024 ** 2;
/** 500 hours: a timer of Node.js holds no more than 2^31 ms. */
const longestMs = 500 * 3_600_000;

export const replacementValues: {
  readonly [Name in keyof ReplacementValues]: z.ZodMiniType<ReplacementValues[Name]>;
} = {
  maxMemory: z
    .union([z.string(), z.number()], wantedSize)
    .check(z.refine((written) => (sizeOf(written) ?? 0) >= leastBytes, wantedSize)),
  maxLifetime: z.string(wantedLifetime).check(
    z.refine((written) => {
      const ms = parseDuration(written);
      return ms !== null && ms >= 1_000 && ms <= longestMs;
    }, wantedLifetime),
  ),
  maxRequests: integer(1, 1_000_000_000_000),
  watchdog: duration(1_000),
  replaceInterval: duration(0),
};
