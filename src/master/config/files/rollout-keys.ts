/** The keys of `[program.NAME]` that say how a new generation takes over, and what makes the old one take over again. */
import { defaults } from '../options/defaults.ts';
import { rolloutValues } from '../options/rollout-values.ts';
import { type ConfigKey, duration, numeric, orVariable } from './key-schemas.ts';

const amount = orVariable('\\d{1,4}|\\d{1,3} ?%');

export const rolloutKeys: Readonly<Record<string, ConfigKey>> = {
  max_surge: {
    schema: rolloutValues.maxSurge,
    type: 'number, or share',
    default: defaults.maxSurge,
    description:
      'How many more workers than `workers` may run during a reload: `1`, or a share such as `"25%"`, rounded up. `"100%"`: all new workers start beside all old ones. With less, they start in steps; each step has as many new workers as `max_surge` and `max_unavailable` add up to. See docs/rollout.md.',
    supervisor: null,
    pattern: amount,
    option: 'maxSurge',
  },
  max_unavailable: {
    schema: rolloutValues.maxUnavailable,
    type: 'number, or share',
    default: String(defaults.maxUnavailable),
    description:
      'How many fewer workers than `workers` may serve during a reload in steps (`max_surge`): `1`, or a share such as `"25%"`, rounded down.',
    supervisor: null,
    pattern: amount,
    option: 'maxUnavailable',
  },
  rollout_pause: {
    schema: rolloutValues.rolloutPause,
    type: 'duration',
    default: 'the `probation`',
    description:
      'How long the new workers of a step serve before the next step begins (`max_surge`), 0s to 24h. If one of them fails meanwhile, the old workers take over again.',
    supervisor: null,
    pattern: duration,
    option: 'rolloutPause',
  },
  canary: {
    schema: numeric(rolloutValues.canary),
    type: 'number',
    default: String(defaults.canary),
    description:
      'How many new workers serve first at a reload; the others are started when these have served for `canary_time`. 0: no canary.',
    supervisor: null,
    option: 'canary',
  },
  canary_time: {
    schema: rolloutValues.canaryTime,
    type: 'duration',
    default: 'the `probation`',
    description: 'How long the first workers (`canary`) serve before the others are started, 0s to 24h.',
    supervisor: null,
    pattern: duration,
    option: 'canaryTime',
  },
  rollback_on: {
    schema: rolloutValues.rollbackOn,
    type: 'text',
    default: defaults.rollbackOn,
    description:
      'The share of requests that a new generation may answer with a status of 500 to 599 while it is on probation: `"5xx > 5% over 10s, at least 50 requests"`. Above it, the old generation accepts again. Errors that the old generation has as well are allowed in addition. Counted in Node.js workers; needs `probation` or `canary`. `"off"`: they are not counted.',
    supervisor: null,
    pattern: orVariable(
      '5xx *> *\\d{1,2}(?:\\.\\d+)?% +over +\\d+(?:\\.\\d+)?(?:ms|s|m|h)(?:, *at least +\\d{1,6} +requests?)?|off',
    ),
    option: 'rollbackOn',
  },
};
