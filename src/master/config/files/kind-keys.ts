/** The keys of `[program.NAME]` that say what kind of program it is, and when it is its turn. */
import { defaults } from '../options/defaults.ts';
import { typeWords } from '../options/kind-options.ts';
import { kindValues } from '../options/kind-values.ts';
import { boolean, type ConfigKey, duration, numeric, orVariable } from './key-schemas.ts';

export const kindKeys: Readonly<Record<string, ConfigKey>> = {
  type: {
    schema: kindValues.type,
    type: '`server`, `worker` or `oneshot`',
    default: defaults.type,
    description:
      '`server`: it needs `port` or `listen`. `worker`: a program without an address, such as a queue worker. `oneshot`: a program without an address that runs once and ends; programs that depend on it are started when it has ended with one of its `exitcodes` ([supervision](supervision.md#programs-without-an-address)).',
    supervisor: null,
    pattern: orVariable(typeWords.join('|')),
    option: 'type',
  },
  overlap: {
    schema: boolean(kindValues.overlap),
    type: 'boolean',
    default: String(defaults.overlap),
    description:
      'Of a program without an address: at a reload, start the new workers before the old ones stop. False: stop the old ones first.',
    supervisor: null,
    option: 'overlap',
  },
  priority: {
    schema: numeric(kindValues.priority),
    type: 'number',
    default: String(defaults.priority),
    description:
      'Programs with a lower number are started first and stopped last, 0 to 999. `depends_on` comes first.',
    supervisor: 'priority',
    option: 'priority',
  },
  adopt_pid_file: {
    schema: kindValues.adoptPidFile,
    type: 'path',
    default: 'none',
    description:
      'For `type = "worker"`: the pid file of a daemon, which `command` starts in the background or which already runs. The daemon is supervised and signalled in place of the command. See docs/processes.md.',
    supervisor: null,
    option: 'adoptPidFile',
  },
  adopt_grace: {
    schema: kindValues.adoptGrace,
    type: 'duration',
    default: defaults.adoptGrace,
    description:
      'How long `adopt_pid_file` may name no running process before the program counts as ended, 0s to 24h.',
    supervisor: null,
    option: 'adoptGrace',
    pattern: duration,
  },
};
