/** The keys of `[program.NAME]` that say what is started again when it has ended by itself. */
import * as z from 'zod/mini';
import { defaults, defaultsOfType } from '../options/defaults.ts';
import { backoffWords, onFatalWords } from '../options/restart-options.ts';
import { restartValues } from '../options/restart-values.ts';
import { type ConfigKey, duration, numeric, orVariable, wantedOf } from './key-schemas.ts';

const oneCode = numeric(z.int().check(z.gte(0), z.lte(255)));
const wantedCodes = wantedOf(restartValues.exitcodes);

export const restartKeys: Readonly<Record<string, ConfigKey>> = {
  autorestart: {
    schema: restartValues.autorestart,
    type: 'boolean, or `unexpected`',
    default: `${defaults.autorestart}; \`${defaultsOfType.worker.autorestart}\` for a \`worker\`, ${defaultsOfType.oneshot.autorestart} for a \`oneshot\``,
    description:
      'Replace a worker that was ready and has ended by itself; `unexpected`: unless it ended with one of `exitcodes`. When no worker is left, the program has exited.',
    supervisor: 'autorestart',
    option: 'autorestart',
  },
  exitcodes: {
    schema: z.pipe(
      z.union([z.array(oneCode, wantedCodes), oneCode], wantedCodes),
      z.transform((codes: unknown) => [codes].flat()),
    ),
    type: 'list of numbers',
    default: defaults.exitcodes.join(', '),
    description: 'Exit codes with which a worker has done its work, 0 to 255.',
    supervisor: 'exitcodes',
    option: 'exitcodes',
  },
  startretries: {
    schema: numeric(restartValues.startretries),
    type: 'number',
    default: `${defaults.startretries}; ${defaultsOfType.oneshot.startretries} for a \`oneshot\``,
    description:
      'How often a start is retried if its workers do not become ready; clients wait meanwhile. After that the program has failed.',
    supervisor: 'startretries',
    option: 'startretries',
  },
  backoff: {
    schema: restartValues.backoff,
    type: '`exponential` or `linear`',
    default: defaults.backoff,
    description:
      'The pauses between starts that fail: `exponential`, 1s, 2s, 4s … (up to a fifth less, at random), or `linear`, 1s, 2s, 3s … as in Supervisor.',
    supervisor: null,
    pattern: orVariable(backoffWords.join('|')),
    option: 'backoff',
  },
  backoff_max: {
    schema: restartValues.backoffMax,
    type: 'duration',
    default: defaults.backoffMax,
    description: 'The longest of these pauses, 1s to 24h.',
    supervisor: null,
    pattern: duration,
    option: 'backoffMax',
  },
  crash_loop: {
    schema: restartValues.crashLoop,
    type: 'text',
    default: defaults.crashLoop,
    description:
      'How many deaths of workers are too many: `"10 in 5m"`. Workers that die after that are not replaced, and the program has failed when none is left. `"off"`: workers are always replaced.',
    supervisor: null,
    pattern: orVariable('\\d{1,6} +in +\\d+(?:\\.\\d+)?(?:ms|s|m|h)|off'),
    option: 'crashLoop',
  },
  on_fatal: {
    schema: restartValues.onFatal,
    type: '`stay` or `exit`',
    default: 'stay',
    description:
      'What the master does when the program has failed. `exit`: it stops all programs, and exits with the code of the program, or with 128 plus the number of the signal that ended it.',
    supervisor: null,
    pattern: orVariable(onFatalWords.join('|')),
    option: 'onFatal',
  },
};
