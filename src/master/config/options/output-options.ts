/** Where the output of workers goes: the options as they are written, and the part of a plan that they are compiled into. Pure. */
import { resolve } from 'node:path';
import { parseBytes } from '../../../shared/byte-sizes.ts';
import { defaults } from './defaults.ts';

/** The options of a program's output in code. */
export interface OutputOptions {
  /**
   * Where workers write their stdout: `inherit`, the default, to the stdout of graceful-run, which they have; `forward`: there too, but through graceful-run, in
   * whole lines, which on a terminal begin with program and pid (`logPrefix`); `none`: nowhere; `syslog` or `journal`, to that daemon (`syslog:/path` if its
   * socket is elsewhere); or a file, which is rotated. In its path, `{name}` stands for the name of the program, `{num}` for the slot of the worker, 0, 1 …, and `{here}` for the working directory.
   */
  readonly stdoutLogfile?: string;
  /** The size at which the file is rotated: `50MB`, or a number of bytes; 0: never. Default 50MB. */
  readonly stdoutLogfileMaxbytes?: string | number;
  /** How many rotated files are kept, 0 to 1000. Default 10. */
  readonly stdoutLogfileBackups?: number;
  /** As `stdoutLogfile`, for stderr: `inherit` is the stderr of graceful-run, in whole lines. */
  readonly stderrLogfile?: string;
  /** As `stdoutLogfileMaxbytes`. */
  readonly stderrLogfileMaxbytes?: string | number;
  /** As `stdoutLogfileBackups`. */
  readonly stderrLogfileBackups?: number;
  /** Send stderr to the file of stdout. Default false. */
  readonly redirectStderr?: boolean;
  /**
   * Begin each line that is passed on to the stdout or stderr of graceful-run with program and pid, `shop[4242] | `, in the text format of the command's log; false: pass
   * it on as it was written. Default true. `createMaster` always passes lines on as they were written.
   */
  readonly logPrefix?: boolean;
  /** Compress rotated files with gzip. Default false. */
  readonly logfileCompress?: boolean;
  /** Also rotate with the first line of each day, in the time zone of the master. Default false. */
  readonly logfileDaily?: boolean;
  /** Begin each line of a log file with the time in UTC. Default false. */
  readonly logfileTimestamps?: boolean;
  /** `json`: each line of a log file is a JSON object with the line, its time, program, generation, worker and stream. Default `plain`. */
  readonly logfileFormat?: 'plain' | 'json';
  /** Remove colours and other control sequences of terminals from the lines of log files. Default false. */
  readonly stripAnsi?: boolean;
  /** The facility of messages to `syslog` and `journal`. Default `daemon`. */
  readonly syslogFacility?: SyslogFacility;
  /** If workers write faster than the disk or the daemon: `block` lets them wait, `drop` drops lines and counts them. Default `block`. */
  readonly logfileOverflow?: 'block' | 'drop';
}

/** The facilities of syslog(3) that are not for the kernel, with their numbers. */
export const syslogFacilities = {
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

export type SyslogFacility = keyof typeof syslogFacilities;

/** When a log file is rotated, and what happens if workers write faster than it takes. */
export interface LogFileSettings {
  /** The size at which the file is rotated; 0: never because of its size. */
  readonly maxBytes: number;
  readonly backups: number;
  readonly compress: boolean;
  readonly daily: boolean;
  readonly overflow: 'block' | 'drop';
}

export type OutputDestination =
  /** For stdout, the worker has the master's descriptor. For stderr, its lines are passed on to the master's. */
  | { readonly to: 'inherit' }
  /** To the stdout of the master, in whole lines. */
  | { readonly to: 'forward' }
  | { readonly to: 'none' }
  /** To a daemon of the system, with a message for each line. */
  | {
      readonly to: 'syslog' | 'journal';
      /** The path of the daemon's socket. */
      readonly path: string;
      /** The facility as syslog(3) numbers it. */
      readonly facility: number;
      readonly overflow: 'block' | 'drop';
    }
  /** To a file. Its path is absolute, with `{name}` and `{num}` still to be filled in. */
  | { readonly to: 'file'; readonly path: string; readonly settings: LogFileSettings };

export interface LineFormat {
  readonly stripsAnsi: boolean;
  readonly hasTimestamps: boolean;
  readonly isJson: boolean;
}

/** The output of a program in a plan. */
export interface OutputPlan {
  readonly stdout: OutputDestination;
  readonly stderr: OutputDestination;
  /** The format of lines in log files. Lines for a daemon only lose their control sequences. */
  readonly format: LineFormat;
  /** Whether lines that are passed on begin with program and pid, where people read them. */
  readonly hasPrefix: boolean;
  /** Whether stderr goes where stdout goes because of `redirectStderr`. */
  readonly isRedirected: boolean;
}

const inherit: OutputDestination = Object.freeze({ to: 'inherit' });
const forward: OutputDestination = Object.freeze({ to: 'forward' });
const none: OutputDestination = Object.freeze({ to: 'none' });

/** The output of a program that sets none of these options. */
export const plainOutput: OutputPlan = Object.freeze({
  stdout: inherit,
  stderr: inherit,
  format: Object.freeze({ stripsAnsi: false, hasTimestamps: false, isJson: false }),
  hasPrefix: defaults.logPrefix,
  isRedirected: false,
});

export const mostBackups = 1000;

export const wantedLogfile = 'a file, inherit, forward, syslog, journal, or none';
export const wantedMaxbytes = 'a size, such as 50MB or 1GB, or a number of bytes; 0: no limit';

/** Reads `inherit`, `forward`, `none` or `off`, in any case, as Supervisor does; null if it is something else. */
function wordOf(written: string): 'inherit' | 'forward' | 'none' | null {
  const word = written.toLowerCase();
  if (word === 'inherit' || word === 'forward') return word;
  return word === 'none' || word === 'off' || written === '/dev/null' ? 'none' : null;
}

const daemonSockets = { syslog: '/dev/log', journal: '/run/systemd/journal/socket' } as const;

/** Reads `syslog` or `journal`, with the path of its socket; null if it is something else. */
function daemonOf(
  written: string,
): { readonly to: keyof typeof daemonSockets; readonly path: string } | null {
  const [, word, path] = /^(syslog|journal)(?::(\/.+))?$/i.exec(written) ?? [];
  if (word === undefined) return null;
  const to = word.toLowerCase() === 'syslog' ? 'syslog' : 'journal';
  return { to, path: path ?? daemonSockets[to] };
}

const ownStreams = [
  '/dev/stdout',
  '/dev/stderr',
  '/dev/fd/1',
  '/dev/fd/2',
  '/proc/self/fd/1',
  '/proc/self/fd/2',
];
const foreignWords = ['auto', 'null'];
const placeholders = ['name', 'num', 'here'];

/** What is wrong with a destination; null if nothing is. */
export function logfileFault(written: string): string | null {
  if (wordOf(written) !== null || daemonOf(written) !== null) return null;
  if (/^(?:syslog|journal):/i.test(written)) return `${written.split(':')[0]}:/path/of/the/socket`;
  if (written === '' || written.includes('\0') || written.endsWith('/')) return wantedLogfile;
  if (foreignWords.includes(written.toLowerCase()))
    return `${wantedLogfile}; a file of this name is written ./${written}`;
  if (ownStreams.includes(written)) return 'inherit, to go to the stdout and stderr of graceful-run';
  const strange = [...written.matchAll(/\{(\w*)\}/g)].find(([, word = '']) => !placeholders.includes(word));
  return strange === undefined
    ? null
    : `a path with no other placeholders than {name}, {num} and {here}, and there is ${strange[0]}`;
}

/** The size in bytes; null if it is not a size. */
export function sizeOf(written: string | number): number | null {
  if (typeof written === 'string') return parseBytes(written);
  return Number.isSafeInteger(written) && written >= 0 ? written : null;
}

/** The destination as it is written, with `{here}` filled in and the path absolute: it starts at the folder `here`. */
export function placeLogfile(written: string, here: string): string {
  const daemon = daemonOf(written);
  if (daemon !== null) return `${daemon.to}:${daemon.path}`;
  return wordOf(written) ?? resolve(here, written.replaceAll('{here}', here));
}

/** Compiles the options of the output. Their values have been checked. */
export function compileOutput(options: WrittenOutputOptions, here: string): OutputPlan {
  const settings = (maxbytes: string | number, backups: number): LogFileSettings =>
    Object.freeze({
      maxBytes: sizeOf(maxbytes) ?? 0,
      backups,
      compress: options.logfileCompress ?? defaults.logfileCompress,
      daily: options.logfileDaily ?? defaults.logfileDaily,
      overflow: options.logfileOverflow ?? defaults.logfileOverflow,
    });
  const destination = (written: string, how: LogFileSettings): OutputDestination => {
    const word = wordOf(written);
    if (word !== null) return { inherit, forward, none }[word];
    const daemon = daemonOf(written);
    if (daemon !== null)
      return Object.freeze({
        ...daemon,
        facility: syslogFacilities[options.syslogFacility ?? defaults.syslogFacility],
        overflow: how.overflow,
      });
    return Object.freeze({ to: 'file', path: placeLogfile(written, here), settings: how });
  };
  const stdout = destination(
    options.stdoutLogfile ?? defaults.stdoutLogfile,
    settings(
      options.stdoutLogfileMaxbytes ?? defaults.stdoutLogfileMaxbytes,
      options.stdoutLogfileBackups ?? defaults.stdoutLogfileBackups,
    ),
  );
  const isRedirected = options.redirectStderr === true;
  const stderr = isRedirected
    ? stdout
    : destination(
        // A stderr that is inherited is forwarded anyway.
        options.stderrLogfile?.toLowerCase() === 'forward'
          ? 'inherit'
          : (options.stderrLogfile ?? defaults.stderrLogfile),
        settings(
          options.stderrLogfileMaxbytes ?? defaults.stderrLogfileMaxbytes,
          options.stderrLogfileBackups ?? defaults.stderrLogfileBackups,
        ),
      );
  const hasPrefix = options.logPrefix ?? defaults.logPrefix;
  if (hasPrefix && stdout.to === 'inherit' && stderr.to === 'inherit') return plainOutput;
  const format = Object.freeze({
    stripsAnsi: options.stripAnsi ?? defaults.stripAnsi,
    hasTimestamps: options.logfileTimestamps ?? defaults.logfileTimestamps,
    isJson: options.logfileFormat === 'json',
  });
  return Object.freeze({ stdout, stderr, format, hasPrefix, isRedirected });
}

/** The same options as the schema returns them. */
export type WrittenOutputOptions = {
  readonly [Option in keyof OutputOptions]?: OutputOptions[Option] | undefined;
};

/** An option that has no effect together with the others. */
export interface InapplicableOutputOption {
  readonly option: keyof OutputOptions;
  readonly message: string;
  readonly hint: string;
}

type Rule = (options: WrittenOutputOptions) => readonly InapplicableOutputOption[];

function stdoutOf({ stdoutLogfile }: WrittenOutputOptions): OutputDestination {
  return compileOutput({ stdoutLogfile }, '/').stdout;
}

function stderrOf(options: WrittenOutputOptions): OutputDestination {
  if (options.redirectStderr === true) return stdoutOf(options);
  return compileOutput({ stderrLogfile: options.stderrLogfile }, '/').stderr;
}

const isFile = ({ to }: OutputDestination): boolean => to === 'file';
const isDaemon = ({ to }: OutputDestination): boolean => to === 'syslog' || to === 'journal';

function goesTo(options: WrittenOutputOptions, what: (destination: OutputDestination) => boolean): boolean {
  return what(stdoutOf(options)) || what(stderrOf(options));
}

function needsFile(option: keyof OutputOptions, of: string): readonly InapplicableOutputOption[] {
  return [
    {
      option,
      message: `needs a log file, and ${of} goes to none`,
      hint: 'name a file for it, or leave it out',
    },
  ];
}

/** Rules for options that have no effect. A value that changes nothing, such as false or the default, breaks no rule. */
export const outputRules: readonly Rule[] = [
  ...(['stdoutLogfileMaxbytes', 'stdoutLogfileBackups'] as const).map(
    (option): Rule =>
      (options) =>
        options[option] === undefined || isFile(stdoutOf(options)) ? [] : needsFile(option, 'stdout'),
  ),
  ...(['stderrLogfileMaxbytes', 'stderrLogfileBackups'] as const).map(
    (option): Rule =>
      (options) =>
        options[option] === undefined || (options.redirectStderr !== true && isFile(stderrOf(options)))
          ? []
          : needsFile(option, 'stderr'),
  ),
  ...(['logfileCompress', 'logfileDaily', 'logfileTimestamps'] as const).map(
    (option): Rule =>
      (options) =>
        options[option] !== true || goesTo(options, isFile) ? [] : needsFile(option, 'the output'),
  ),
  (options) =>
    options.stripAnsi !== true || goesTo(options, isFile) || goesTo(options, isDaemon)
      ? []
      : needsFile('stripAnsi', 'the output'),
  (options) =>
    options.logfileFormat !== 'json' || goesTo(options, isFile)
      ? []
      : needsFile('logfileFormat', 'the output'),
  (options) =>
    options.logfileOverflow !== 'drop' || goesTo(options, isFile) || goesTo(options, isDaemon)
      ? []
      : needsFile('logfileOverflow', 'the output'),
  (options) =>
    options.logPrefix === false && stderrOf(options).to !== 'inherit' && stdoutOf(options).to !== 'forward'
      ? [
          {
            option: 'logPrefix',
            message: 'has no effect, because none of its lines are passed on',
            hint: 'set stdout_logfile to forward, or leave it out',
          },
        ]
      : [],
  (options) =>
    options.syslogFacility === undefined || goesTo(options, isDaemon)
      ? []
      : [
          {
            option: 'syslogFacility',
            message: 'needs syslog or journal, and the output goes to neither',
            hint: 'set stdout_logfile to syslog, or leave it out',
          },
        ],
  (options) =>
    options.stderrLogfile !== undefined && options.redirectStderr === true
      ? [
          {
            option: 'stderrLogfile',
            message: 'has no effect, because stderr is sent to the file of stdout',
            hint: 'leave out one of them',
          },
        ]
      : [],
  (options) =>
    options.redirectStderr === true &&
    options.stderrLogfile === undefined &&
    stdoutOf(options).to === 'inherit'
      ? [
          {
            option: 'redirectStderr',
            message: 'needs a destination of stdout, and that is inherited',
            hint: 'name a file for stdout, or leave it out',
          },
        ]
      : [],
  (options) =>
    options.logfileTimestamps === true && options.logfileFormat === 'json'
      ? [
          {
            option: 'logfileTimestamps',
            message: 'has no effect on JSON lines, which have the time',
            hint: 'leave it out',
          },
        ]
      : [],
];

/** Fills in what is known when a worker is started. `slot` is null if it is not known yet. */
export function logfilePath(
  path: string,
  { name, slot }: { readonly name: string; readonly slot: number | null },
): string {
  const named = path.replaceAll('{name}', name);
  return slot === null ? named : named.replaceAll('{num}', String(slot));
}
