/**
 * The options of the command line. The parser, `--help` and the table in the README are made from this table.
 * Values are checked in ../config/options.ts.
 */
import type { MasterOptions } from '../config/options.ts';
import { defaults, defaultsOfOnly } from '../config/options/defaults.ts';
import { logFormats, logLevels } from '../config/plan.ts';
import { drainSignalNames } from '../launch/program-drain-signal.ts';

export interface OptionRow {
  /** The option without its dashes: `ready-timeout`. */
  readonly flag: string;
  /** The short form without its dash: `c`. */
  readonly short?: string;
  readonly kind: 'text' | 'number' | 'list' | 'boolean';
  /** The placeholder for the value in the help, such as `<ms>`; null if the option takes none. */
  readonly value: string | null;
  readonly default: string | null;
  readonly description: string;
  /** The option of the master that it sets; null if only the command line has it. */
  readonly option: keyof MasterOptions | null;
  /** Completions of the value in a shell: paths, or these words. */
  readonly values?: 'files' | 'folders' | readonly string[];
}

function onOff(isOn: boolean): string {
  return isOn ? 'on' : 'off';
}

export const optionTable: readonly OptionRow[] = [
  {
    flag: 'config',
    short: 'c',
    kind: 'text',
    value: '<file>',
    default: 'graceful.toml (.yaml, .json, .js …), if there is no command',
    description:
      'config file with one or many programs, instead of a command and its options (docs/config.md)',
    option: null,
    values: 'files',
  },
  {
    flag: 'port',
    kind: 'number',
    value: '<n>',
    default: null,
    description: 'TCP port to hold; 0: any free port. Required unless there is --listen or a config file',
    option: 'port',
  },
  {
    flag: 'host',
    kind: 'text',
    value: '<address>',
    default: 'the address that a Node.js program passes to listen(); every address for other programs',
    description:
      'address to bind (127.0.0.1, 0.0.0.0, ::1), or a name (localhost), which means all of its addresses; also for ports of --listen without an address',
    option: 'host',
  },
  {
    flag: 'listen',
    kind: 'list',
    value: '<address…>',
    default: null,
    description:
      'addresses to hold instead of --port: 3000, 127.0.0.1:3000, [::1]:3000, localhost:3000, unix:/run/app.sock, unix:@app (abstract, without a file), udp:0.0.0.0:5353, or fd:3 for a bound socket that it is started with; each may have name= before it',
    option: 'listen',
  },
  {
    flag: 'socket-mode',
    kind: 'text',
    value: '<mode>',
    default: 'what the umask leaves',
    description: 'permission bits of the files of UNIX sockets: 0660',
    option: 'socketMode',
  },
  {
    flag: 'socket-owner',
    kind: 'text',
    value: '<user:group>',
    default: 'the user of the master',
    description: 'owner of the files of UNIX sockets: www-data, www-data:web, :web',
    option: 'socketOwner',
  },
  {
    flag: 'backlog',
    kind: 'number',
    value: '<n>',
    default: String(defaults.backlog),
    description: 'length of the accept queue, capped by net.core.somaxconn',
    option: 'backlog',
  },
  {
    flag: 'reuse-port',
    kind: 'boolean',
    value: null,
    default: onOff(defaults.reusePort),
    description:
      'give each worker a listening socket of its own (SO_REUSEPORT), which gets connections only while the worker is ready, in any language; needs --host, or addresses with a host',
    option: 'reusePort',
  },
  {
    flag: 'ipv6-only',
    kind: 'boolean',
    value: null,
    default: null,
    description: 'an IPv6 listener takes no IPv4 connections',
    option: 'ipv6Only',
  },
  {
    flag: 'tcp-fast-open',
    kind: 'number',
    value: '<n>',
    default: 'off',
    description: 'TCP Fast Open: how many clients at once may send a request with their first packet',
    option: 'tcpFastOpen',
  },
  {
    flag: 'defer-accept',
    kind: 'text',
    value: '<time>',
    default: 'off',
    description: 'accept a connection when its first bytes have arrived, or after about this time',
    option: 'deferAccept',
  },
  {
    flag: 'keepalive',
    kind: 'text',
    value: '<times>',
    default: 'off',
    description: 'TCP keep-alive of connections: on, or idle time, interval and number of probes: 60s:10s:5',
    option: 'keepalive',
    values: ['on'],
  },
  {
    flag: 'freebind',
    kind: 'boolean',
    value: null,
    default: null,
    description: 'listen on an address that the machine does not have yet',
    option: 'freebind',
  },
  {
    flag: 'name',
    kind: 'text',
    value: '<name>',
    default: 'the port',
    description: 'name of the program in logs, and of its control socket',
    option: 'name',
  },
  {
    flag: 'workers',
    kind: 'number',
    value: '<n|auto>',
    default: String(defaults.workers),
    description: 'number of workers that share the port; auto: one per core',
    option: 'workers',
    values: ['auto'],
  },
  {
    flag: 'watch',
    kind: 'list',
    value: '[path…]',
    default: 'no watching',
    description: "reload when the content of these paths changes; without a path: the program's own file",
    option: 'watch',
    values: 'files',
  },
  {
    flag: 'ready',
    kind: 'text',
    value: '<when>',
    default: defaults.ready,
    description:
      'when a worker is ready: auto, listen, message, notify, fd:5, exec:COMMAND, delay:2s, tcp:9000, http:/path, http://127.0.0.1:9000/path; auto: Node.js once it listens, another program once it sends READY=1 (sd_notify) or has run for --startsecs',
    option: 'ready',
    values: ['auto', 'listen', 'message', 'notify', 'fd:', 'exec:', 'delay:', 'tcp:', 'http:/', 'http://'],
  },
  {
    flag: 'warmup',
    kind: 'number',
    value: '<n>',
    default: String(defaults.warmup),
    description:
      'number of warm-up requests to the path of --ready http:/path before a worker accepts connections',
    option: 'warmup',
  },
  {
    flag: 'startsecs',
    kind: 'text',
    value: '<time>',
    default: defaults.startsecs,
    description:
      'how long a program that is not Node.js has to run until it counts as ready, with --ready auto',
    option: 'startsecs',
  },
  {
    flag: 'ready-timeout',
    kind: 'text',
    value: '<time>',
    default: defaults.readyTimeout,
    description: 'how long a new worker may take to become ready',
    option: 'readyTimeout',
  },
  {
    flag: 'drain-timeout',
    kind: 'text',
    value: '<time>',
    default: defaults.drainTimeout,
    description: 'how long an old worker may drain before it gets SIGTERM (SIGKILL follows 2s later)',
    option: 'drainTimeout',
  },
  {
    flag: 'drain-signal',
    kind: 'text',
    value: '<auto|none|NAME>',
    default: defaults.drainSignal,
    description:
      'signal that tells a worker that is not Node.js to drain: TERM, QUIT …; auto: the signal that its program expects; none: no signal is sent, and the worker serves until --drain-timeout',
    option: 'drainSignal',
    values: ['auto', 'none', ...drainSignalNames],
  },
  {
    flag: 'rescue',
    kind: 'text',
    value: '<time>',
    default: defaults.rescue,
    description:
      'how long workers go on serving after graceful-run was killed, so that the next one can take over from them; 0s: they drain at once',
    option: 'rescue',
  },
  {
    flag: 'stop-signal',
    kind: 'text',
    value: '<signals>',
    default: 'the drain signal',
    description:
      'signals that a worker is sent at a stop, each with the time to wait for its exit: TERM, or "TERM 10s, INT 5s, KILL"; SIGKILL always comes last',
    option: 'stopSignal',
  },
  {
    flag: 'probation',
    kind: 'text',
    value: '<time>',
    default: defaults.probation,
    description:
      'how long the old workers stay after a reload, to take over again if a new worker crashes; 0s turns it off',
    option: 'probation',
  },
  {
    flag: 'canary',
    kind: 'number',
    value: '<n>',
    default: String(defaults.canary),
    description:
      'how many new workers serve first at a reload; the others start when these have served for the time of the probation (--probation)',
    option: 'canary',
  },
  {
    flag: 'rollback-on',
    kind: 'text',
    value: '<bound|off>',
    default: defaults.rollbackOn,
    description:
      'how many failed responses of a new Node.js release are too many while it is on probation: "5xx > 5% over 10s, at least 50 requests"; the old workers take over again then',
    option: 'rollbackOn',
  },
  {
    flag: 'autorestart',
    kind: 'text',
    value: '<true|false|unexpected>',
    default: defaults.autorestart,
    description:
      'replace a worker that ends by itself; unexpected: unless it ends with code 0. When no worker is left, graceful-run exits with the exit code of the worker; with several workers, a code other than 0 takes precedence',
    option: 'autorestart',
  },
  {
    flag: 'startretries',
    kind: 'number',
    value: '<n>',
    default: String(defaultsOfOnly.startretries),
    description: 'how often a failed start is tried again, after 1s, 2s, 4s …; clients wait meanwhile',
    option: 'startretries',
  },
  {
    flag: 'on-fatal',
    kind: 'text',
    value: '<stay|exit>',
    default: 'end with code 1',
    description:
      "what to do when the program has failed; exit: end with the program's own exit code; stay: keep running until gracefulctl start or a changed file (--watch) starts it again",
    option: 'onFatal',
  },
  {
    flag: 'max-memory',
    kind: 'text',
    value: '<size>',
    default: 'no limit',
    description:
      'replace a worker that uses more memory than this, such as 512MB: another one starts beside it, and then it drains',
    option: 'maxMemory',
  },
  {
    flag: 'max-lifetime',
    kind: 'text',
    value: '<time>',
    default: 'no limit',
    description:
      'replace a worker this long (24h) after it became ready, or up to a tenth earlier, at random',
    option: 'maxLifetime',
  },
  {
    flag: 'max-requests',
    kind: 'number',
    value: '<n>',
    default: 'no limit',
    description: 'replace a Node.js worker after this many requests, or up to a tenth fewer, at random',
    option: 'maxRequests',
  },
  {
    flag: 'watchdog',
    kind: 'text',
    value: '<time>',
    default: 'none',
    description:
      'replace a worker that gives no sign of life for this time (30s): Node.js whose event loop does not turn, a program that does not send WATCHDOG=1',
    option: 'watchdog',
  },
  {
    flag: 'migrate',
    kind: 'boolean',
    value: null,
    default: onOff(defaults.migrate),
    description:
      'move open connections to the new workers; --no-migrate: they stay with the old ones until they close',
    option: 'migrate',
  },
  {
    flag: 'cwd',
    kind: 'text',
    value: '<dir>',
    default: "the master's",
    description: 'working directory of the workers; may be a symlink that you repoint at each release',
    option: 'cwd',
    values: 'folders',
  },
  {
    // Not --env-file: Node.js takes that for its own option wherever it stands, and would apply it to the master.
    flag: 'environment-file',
    kind: 'text',
    value: '<file>',
    default: 'none',
    description: "file with NAME=value lines for the workers' environment; re-read for every worker",
    option: 'environmentFile',
    values: 'files',
  },
  {
    flag: 'user',
    kind: 'text',
    value: '<user:group>',
    default: 'the user of the master',
    description:
      'run the workers as this user, with its groups, HOME, USER, LOGNAME and SHELL: www-data, www-data:web, 33:33; needs root',
    option: 'user',
  },
  {
    flag: 'stdout-logfile',
    kind: 'text',
    value: '<file>',
    default: defaults.stdoutLogfile,
    description:
      'where workers write their stdout: inherit (the stdout of graceful-run), forward (there too, but in whole lines, on a terminal with program and pid in front), none, syslog, journal, or a file, which is rotated at 50MB; {name} and {num} in its path: program and slot of the worker',
    option: 'stdoutLogfile',
    values: 'files',
  },
  {
    flag: 'stderr-logfile',
    kind: 'text',
    value: '<file>',
    default: defaults.stderrLogfile,
    description: 'the same for stderr',
    option: 'stderrLogfile',
    values: 'files',
  },
  {
    flag: 'log-prefix',
    kind: 'boolean',
    value: null,
    default: onOff(defaults.logPrefix),
    description:
      "on a terminal, begin each line of the workers' stderr (and of a stdout with forward) with program and pid; --no-log-prefix: pass it on as it was written",
    option: 'logPrefix',
  },
  {
    flag: 'control',
    kind: 'boolean',
    value: null,
    default: onOff(defaults.control),
    description: 'open the control socket that gracefulctl uses; --no-control: open none',
    option: 'control',
  },
  {
    flag: 'check',
    kind: 'boolean',
    value: null,
    default: null,
    description:
      'start nothing; report what is wrong with the options and on this machine, one problem per line; exit 0 or 2',
    option: null,
  },
  {
    flag: 'run',
    kind: 'boolean',
    value: null,
    default: null,
    description:
      'with --check: also start one worker of each program, wait until it is ready, and stop it; no client reaches it',
    option: null,
  },
  {
    flag: 'json',
    kind: 'boolean',
    value: null,
    default: null,
    description: 'with --check: print the result as one JSON document',
    option: null,
  },
  {
    flag: 'log-level',
    kind: 'text',
    value: '<level>',
    default: defaults.logLevel,
    description: 'trace, debug, info, warn, error, fatal or silent',
    option: null,
    values: logLevels,
  },
  {
    flag: 'log-format',
    kind: 'text',
    value: '<format>',
    default: 'pretty on a terminal, else json',
    description: 'json or pretty',
    option: null,
    values: logFormats,
  },
];
