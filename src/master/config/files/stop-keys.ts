/** The keys of a config file that say how a program is stopped. */
import { defaults } from '../options/defaults.ts';
import { stopPattern } from '../options/stop-options.ts';
import { stopValues } from '../options/stop-values.ts';
import { boolean, type ConfigKey, orVariable, seconds } from './key-schemas.ts';

export const stopKeys: Readonly<Record<string, ConfigKey>> = {
  stopsignal: {
    schema: stopValues.stopSignal,
    type: 'text',
    default: 'the drain signal',
    description:
      'The signals that a worker is sent at a stop, each with the time to wait for its exit before the next one: `"TERM"`, or `"TERM 10s, INT 5s, KILL"`. One without a time has `stopwaitsecs`. SIGKILL comes last, whether it is named or not ([details](processes.md#stop)).',
    supervisor: 'stopsignal',
    pattern: orVariable(stopPattern),
    option: 'stopSignal',
  },
  stopwaitsecs: {
    schema: seconds(stopValues.stopwaitsecs),
    type: 'duration, or seconds',
    default: '`drain_timeout`, then SIGTERM and 2s',
    description: 'How long a worker may take to exit at a stop before it is killed, 0s to 24h.',
    supervisor: 'stopwaitsecs',
    option: 'stopwaitsecs',
  },
  stopasgroup: {
    schema: boolean(stopValues.stopasgroup),
    type: 'boolean',
    default: String(defaults.stopasgroup),
    description:
      'Send the signals of a stop to the whole process group of a worker, and not only to the process that serves. (SIGKILL always goes to all processes of a worker.)',
    supervisor: 'stopasgroup',
    option: 'stopasgroup',
  },
};
