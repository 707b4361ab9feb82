/** The keys of `[program.NAME]` that say when a program runs by the clock. */
import { defaults } from '../options/defaults.ts';
import { ifMissedWords, ifRunningWords } from '../options/schedule-options.ts';
import { scheduleValues } from '../options/schedule-values.ts';
import { type ConfigKey, duration, orVariable } from './key-schemas.ts';

export const scheduleKeys: Readonly<Record<string, ConfigKey>> = {
  schedule: {
    schema: scheduleValues.schedule,
    type: 'cron expression',
    default: 'none',
    description:
      'When a program with `type = "oneshot"` runs: `"*/5 * * * *"` (minute, hour, day of the month, month, day of the week), or `"@hourly"`, `"@daily"`, `"@weekly"`, `"@monthly"`, `"@yearly"` ([scheduled programs](supervision.md#scheduled-programs)).',
    supervisor: null,
    option: 'schedule',
  },
  timezone: {
    schema: scheduleValues.timezone,
    type: 'time zone',
    default: 'that of the machine',
    description: 'The time zone of `schedule`: `"Europe/Berlin"`, `"UTC"`.',
    supervisor: null,
    option: 'timezone',
  },
  if_running: {
    schema: scheduleValues.ifRunning,
    type: '`skip`, `wait` or `kill`',
    default: defaults.ifRunning,
    description:
      'What to do if a run is due while the previous one is still running. `skip`: leave it out; `wait`: begin it when the previous one has ended; `kill`: stop the previous one first.',
    supervisor: null,
    pattern: orVariable(ifRunningWords.join('|')),
    option: 'ifRunning',
  },
  if_missed: {
    schema: scheduleValues.ifMissed,
    type: '`skip` or `run`',
    default: defaults.ifMissed,
    description:
      'What to do about runs that were due while the machine slept, or the master did not run. `run`: the program runs once for all of them.',
    supervisor: null,
    pattern: orVariable(ifMissedWords.join('|')),
    option: 'ifMissed',
  },
  run_timeout: {
    schema: scheduleValues.runTimeout,
    type: 'duration',
    default: 'none',
    description: 'How long a scheduled run may take, 1ms to 24h. Then it is stopped as `stopsignal` says.',
    supervisor: null,
    pattern: duration,
    option: 'runTimeout',
  },
};
