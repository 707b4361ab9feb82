/** The keys of a program's output. If Supervisor has the same key, it has the same name. */
import { defaults } from '../options/defaults.ts';
import type { OutputOptions } from '../options/output-options.ts';
import { outputValues } from '../options/output-values.ts';
import { boolean, type ConfigKey, numeric, orVariable } from './key-schemas.ts';

const size = orVariable('\\d{1,15}(?:\\.\\d{1,6})? ?(?:[KkMmGg]?[Bb])?');

function flag(option: keyof OutputOptions & keyof typeof defaults, description: string): ConfigKey {
  return {
    schema: boolean(outputValues[option] as typeof outputValues.stripAnsi),
    type: 'boolean',
    default: String(defaults[option]),
    description,
    supervisor:
      option === 'redirectStderr' ? 'redirect_stderr' : option === 'stripAnsi' ? 'strip_ansi' : null,
    option,
  };
}

/** The output keys of `[program.NAME]`. */
export const outputKeys: Readonly<Record<string, ConfigKey>> = {
  stdout_logfile: {
    schema: outputValues.stdoutLogfile,
    type: 'path, `inherit`, `forward`, `syslog`, `journal` or `none`',
    default: defaults.stdoutLogfile,
    description:
      'Where the workers write their stdout: `inherit`, the stdout of graceful-run; `forward`, there too, but in whole lines, which on a terminal begin with program and pid (`log_prefix`); `none`, nowhere; `syslog` or `journal`, that daemon (`syslog:/path` if its socket is elsewhere); or a file, which is rotated (docs/output.md). In its path, `{name}` is the name of the program, `{num}` the slot of the worker (0, 1 …), and `{here}` the directory of the config file.',
    supervisor: 'stdout_logfile',
  },
  stdout_logfile_maxbytes: {
    schema: outputValues.stdoutLogfileMaxbytes,
    type: 'size, or number of bytes',
    default: defaults.stdoutLogfileMaxbytes,
    description:
      'The size at which the file of stdout is rotated: `"50MB"`, `"1GB"` (units of 1024); `0`: never.',
    supervisor: 'stdout_logfile_maxbytes',
    option: 'stdoutLogfileMaxbytes',
    pattern: size,
  },
  stdout_logfile_backups: {
    schema: numeric(outputValues.stdoutLogfileBackups),
    type: 'number',
    default: String(defaults.stdoutLogfileBackups),
    description:
      'How many rotated files of stdout are kept, 0 to 1000. With `0`, a full file is replaced by an empty one.',
    supervisor: 'stdout_logfile_backups',
    option: 'stdoutLogfileBackups',
  },
  stderr_logfile: {
    schema: outputValues.stderrLogfile,
    type: 'path, `inherit`, `syslog`, `journal` or `none`',
    default: defaults.stderrLogfile,
    description: 'As `stdout_logfile`, for stderr: `inherit` is the stderr of graceful-run, in whole lines.',
    supervisor: 'stderr_logfile',
  },
  stderr_logfile_maxbytes: {
    schema: outputValues.stderrLogfileMaxbytes,
    type: 'size, or number of bytes',
    default: defaults.stderrLogfileMaxbytes,
    description: 'As `stdout_logfile_maxbytes`.',
    supervisor: 'stderr_logfile_maxbytes',
    option: 'stderrLogfileMaxbytes',
    pattern: size,
  },
  stderr_logfile_backups: {
    schema: numeric(outputValues.stderrLogfileBackups),
    type: 'number',
    default: String(defaults.stderrLogfileBackups),
    description: 'As `stdout_logfile_backups`.',
    supervisor: 'stderr_logfile_backups',
    option: 'stderrLogfileBackups',
  },
  redirect_stderr: flag('redirectStderr', 'Send stderr to the file of stdout.'),
  log_prefix: flag(
    'logPrefix',
    'Begin each line that is passed on to the stdout or stderr of graceful-run with program and pid, `shop[4242] | `, on a terminal or with `log_format = "pretty"`. `false`: pass it on as it was written, in whole lines (docs/output.md).',
  ),
  logfile_compress: flag('logfileCompress', 'Compress rotated log files with gzip.'),
  logfile_daily: flag(
    'logfileDaily',
    'Also rotate with the first line of each day, in the time zone of the master.',
  ),
  logfile_timestamps: flag('logfileTimestamps', 'Begin each line of a log file with the time, in UTC.'),
  logfile_format: {
    schema: outputValues.logfileFormat,
    type: 'text',
    default: defaults.logfileFormat,
    description:
      '`json`: each line of a log file is a JSON object with the line and its `time`, `program`, `generation`, `slot`, `worker` and `stream`. `plain`: lines stay as they are.',
    supervisor: null,
    option: 'logfileFormat',
  },
  strip_ansi: flag(
    'stripAnsi',
    'Remove colours and other control sequences of terminals from the lines of log files and of messages.',
  ),
  syslog_facility: {
    schema: outputValues.syslogFacility,
    type: 'text',
    default: defaults.syslogFacility,
    description:
      'The facility of messages to `syslog` and `journal`: `user`, `daemon`, `local0` … `local7`, and the others of syslog(3).',
    supervisor: null,
    option: 'syslogFacility',
  },
  logfile_overflow: {
    schema: outputValues.logfileOverflow,
    type: 'text',
    default: defaults.logfileOverflow,
    description:
      'If workers write faster than the disk or the daemon: `block` lets them wait; `drop` drops lines, counts them and reports how many.',
    supervisor: null,
    option: 'logfileOverflow',
  },
};
