/** The keys of `[program.NAME]` that say how a new generation takes over, and what makes the old one take over again. */
import { rolloutValues } from '../rollout-values.ts';
import { type ConfigKey, orVariable } from './key-schemas.ts';

export const rolloutKeys: Readonly<Record<string, ConfigKey>> = {
  rollback_on: {
    schema: rolloutValues.rollbackOn,
    type: 'text',
    default: 'off',
    description:
      'The share of requests that a new generation may answer with a status of 500 to 599 while it is on probation: `"5xx > 5% over 10s, at least 50 requests"`. Above it, the old generation accepts again. What the old generation fails as well is allowed in addition. Counted in Node.js workers; needs `probation`. `"off"`: they are not counted.',
    supervisor: null,
    pattern: orVariable(
      '5xx *> *\\d{1,2}(?:\\.\\d+)?% +over +\\d+(?:\\.\\d+)?(?:ms|s|m|h)(?:, *at least +\\d{1,6} +requests?)?|off',
    ),
    option: 'rollbackOn',
  },
};
