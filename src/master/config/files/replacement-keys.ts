/** The keys of `[program.NAME]` that say when a worker is replaced although it serves. */
import { defaults } from '../options/defaults.ts';
import { replacementValues } from '../options/replacement-values.ts';
import { type ConfigKey, duration, numeric, orVariable } from './key-schemas.ts';

export const replacementKeys: Readonly<Record<string, ConfigKey>> = {
  max_memory: {
    schema: replacementValues.maxMemory,
    type: 'size, or number of bytes',
    default: 'none',
    description:
      'Replace a worker whose processes use more resident memory than this, as `gracefulctl status` shows it: `"512MB"`, `"2GB"` (units of 1024). See docs/replacement.md.',
    supervisor: null,
    option: 'maxMemory',
    pattern: orVariable('\\d{1,15}(?:\\.\\d{1,6})? ?(?:[KkMmGg]?[Bb])?'),
  },
  max_lifetime: {
    schema: replacementValues.maxLifetime,
    type: 'duration',
    default: 'none',
    description:
      'Replace a worker when it has been ready for this time, 1s to 500h. Up to a tenth is taken off at random, so that workers are not all replaced at once.',
    supervisor: null,
    option: 'maxLifetime',
    pattern: duration,
  },
  max_requests: {
    schema: numeric(replacementValues.maxRequests),
    type: 'number',
    default: 'none',
    description:
      'Replace a Node.js worker after this many requests. Up to a tenth is taken off at random. Workers in other languages do not count requests.',
    supervisor: null,
    option: 'maxRequests',
  },
  watchdog: {
    schema: replacementValues.watchdog,
    type: 'duration',
    default: 'none',
    description:
      'Replace a worker that gives no sign of life for this time, 1s to 24h: a Node.js worker whose event loop does not turn, and a program that does not send WATCHDOG=1 (sd_notify). See docs/replacement.md.',
    supervisor: null,
    option: 'watchdog',
    pattern: duration,
  },
  replace_interval: {
    schema: replacementValues.replaceInterval,
    type: 'duration',
    default: defaults.replaceInterval,
    description: 'Minimum time between the beginnings of two such replacements in one program, 0s to 24h.',
    supervisor: null,
    option: 'replaceInterval',
    pattern: duration,
  },
};
