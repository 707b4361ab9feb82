/** The keys of a program's hooks. */
import { defaults } from '../options/defaults.ts';
import { hooksOfFile, hookValues } from '../options/hook-values.ts';
import { type ConfigKey, duration } from './key-schemas.ts';

/** The hook keys of `[program.NAME]`. */
export const hookKeys: Readonly<Record<string, ConfigKey>> = {
  hooks: {
    schema: hooksOfFile,
    type: 'table of commands',
    default: 'none',
    description:
      'Commands that /bin/sh runs when something happens: `pre_start`, `post_ready`, `pre_drain`, `post_stop`, `on_failure`, `on_rollback`, `on_fatal` ([hooks.md](hooks.md)). The table of a program replaces that of `[defaults]`.',
    supervisor: null,
    option: 'hooks',
  },
  webhook: {
    schema: hookValues.webhook,
    type: 'table',
    default: 'none',
    description:
      'Sends events as JSON to a URL: `{ url = "https://…", secret = "${WEBHOOK_SECRET}", events = ["generationReady", "generationFailed"] }` ([hooks.md](hooks.md#webhooks)).',
    supervisor: null,
    option: 'webhook',
  },
  hook_timeout: {
    schema: hookValues.hookTimeout,
    type: 'duration',
    default: defaults.hookTimeout,
    description:
      'How long a hook may take; then it is killed with everything that it has started. 1ms to 24h.',
    supervisor: null,
    option: 'hookTimeout',
    pattern: duration,
  },
};
