/**
 * The keys of a config file, once: the schema that checks them, the JSON Schema for editors, the reference in docs/config.md and the hints for
 * mistyped keys are made from them. What a value may be is the same as on the command line: ../values.ts.
 */
import * as z from 'zod/mini';
import { defaults, defaultsOfType } from '../options/defaults.ts';
import { drainSignalNames } from '../../launch/program-drain-signal.ts';
import { logFormats, logLevels } from '../plan.ts';
import { outputKeys } from './output-keys.ts';
import { masterValues, metricsAddress, metricsToken, programName, programValues } from '../options/values.ts';
import { boolean, type ConfigKey, duration, numeric, orVariable, seconds, wantedOf } from './key-schemas.ts';
import { oneOf } from '../options/value-schemas.ts';
import { launchKeys } from './launch-keys.ts';
import { groupKeys } from './group-keys.ts';
import { kindKeys } from './kind-keys.ts';
import { hookKeys } from './hook-keys.ts';
import { replacementKeys } from './replacement-keys.ts';
import { restartKeys } from './restart-keys.ts';
import { rolloutKeys } from './rollout-keys.ts';
import { scheduleKeys } from './schedule-keys.ts';
import { stopKeys } from './stop-keys.ts';

const wantedCommand =
  'a list of words, such as ["node", "app.js"], or one string that is split like the words of a shell';
const wantedEnvironment = 'a table of variables, each a string, a whole number, true or false';
const listenAddress = orVariable(
  '(?:[A-Za-z0-9_.-]{1,64}=)?(?:(?:(?:udp:)?(?:\\[[0-9A-Fa-f:.%\\w]+\\]|[^\\s:\\[\\]=]+):)?\\d{1,5}|unix:@?[^@]*[^@/]|fd:\\d{1,7})',
);
const name = '[A-Za-z0-9_][A-Za-z0-9._-]{0,63}';

/** The keys of `[program.NAME]`. */
export const programKeys: Readonly<Record<string, ConfigKey>> = {
  command: {
    schema: z.union([z.string(), programValues.command], wantedCommand),
    type: 'list of strings, or string',
    default: 'required',
    description:
      'The program and its arguments. A single string is split into words as in a shell, with quotes. No shell runs it, so `&&`, `|`, `>` and `*` do not work.',
    supervisor: 'command',
  },
  port: {
    schema: numeric(programValues.port),
    type: 'number',
    default: 'required, unless `listen` is set or `type` is `worker` or `oneshot`',
    description: 'The TCP port to hold, 0 to 65535; 0: any free one.',
    supervisor: null,
  },
  host: {
    schema: programValues.host,
    type: 'string',
    default: 'the address that a Node.js program passes to listen(); every address for other programs',
    description:
      'The address to bind, or a host name. It also applies to entries of `listen` without an address.',
    supervisor: null,
  },
  listen: {
    schema: programValues.listen,
    type: 'list of addresses',
    default: 'none',
    description:
      'Several addresses instead of `port`: `"3000"`, `"127.0.0.1:3000"`, `"[::1]:3000"`, `"localhost:3000"` (every address of the name), `"unix:/run/app.sock"`, `"unix:@app"` (abstract: a name without a file, which every user of the machine can connect to), `"udp:0.0.0.0:5353"`, `"fd:3"` (a bound socket that graceful-run is started with). `"admin=3001"` names a listener `admin`.',
    supervisor: null,
  },
  socket_mode: {
    schema: programValues.socketMode,
    type: 'string',
    default: 'what the umask leaves',
    description:
      'Permission bits of the files of UNIX sockets, in octal digits: `"0660"`. No effect on inherited sockets.',
    supervisor: 'socket_mode',
    option: 'socketMode',
  },
  socket_owner: {
    schema: programValues.socketOwner,
    type: 'string',
    default: 'the user of the master',
    description:
      'Owner of the files of UNIX sockets: `"www-data"`, `"www-data:web"`, `":web"`. To give a file to another user, the master has to be root. No effect on inherited sockets.',
    supervisor: 'socket_owner',
    option: 'socketOwner',
  },
  backlog: {
    schema: numeric(programValues.backlog),
    type: 'number',
    default: String(defaults.backlog),
    description: 'Length of the accept queue; the kernel caps it at net.core.somaxconn.',
    supervisor: null,
    option: 'backlog',
  },
  reuse_port: {
    schema: boolean(programValues.reusePort),
    type: 'boolean',
    default: String(defaults.reusePort),
    description:
      'Give each worker a listening socket of its own for each address (SO_REUSEPORT), instead of a share of one. [Programs in any language](programs.md#connections-only-for-workers-that-are-ready) then get connections only while they are ready. Every address has to be a TCP address with a host. [When it pays](adr/0024-reuse-port.md). Linux only.',
    supervisor: null,
    option: 'reusePort',
  },
  ipv6_only: {
    schema: boolean(programValues.ipv6Only),
    type: 'boolean',
    default: String(defaults.ipv6Only),
    description:
      'An IPv6 listener takes no IPv4 connections, so `"0.0.0.0:80"` can be listed together with `"[::]:80"` in `listen`. Only for TCP listeners; no effect on inherited sockets, which are bound already.',
    supervisor: null,
    option: 'ipv6Only',
  },
  tcp_fast_open: {
    schema: numeric(programValues.tcpFastOpen),
    type: 'number',
    default: 'off',
    description:
      'TCP Fast Open: how many clients at once may send a request with their first packet, 1 to 65535. Only for TCP listeners. The machine must allow it (net.ipv4.tcp_fastopen = 3).',
    supervisor: null,
    option: 'tcpFastOpen',
  },
  defer_accept: {
    schema: programValues.deferAccept,
    type: 'duration',
    default: 'off',
    description:
      'Accept a connection only when its first bytes have arrived, or after about this time: whole seconds, 1s to 9h. Only for TCP listeners, and not for protocols in which the server sends first.',
    supervisor: null,
    pattern: duration,
    option: 'deferAccept',
  },
  keepalive: {
    schema: programValues.keepalive,
    type: 'string',
    default: 'off',
    description:
      'TCP keep-alive of accepted connections: `"on"`, or an idle time, an interval and a number of probes: `"60s"`, `"60s:10s"`, `"60s:10s:5"`. Values that are left out come from net.ipv4.tcp_keepalive_*. A program may set its own. Only for TCP listeners.',
    supervisor: null,
    pattern: orVariable('on|\\d+(?:s|m|h)(?::\\d+(?:s|m|h)(?::\\d{1,3})?)?'),
    option: 'keepalive',
  },
  freebind: {
    schema: boolean(programValues.freebind),
    type: 'boolean',
    default: String(defaults.freebind),
    description:
      'Listen on an address that the machine does not have yet, such as one that fails over to it. Only for TCP listeners; no effect on inherited sockets, which are bound already.',
    supervisor: null,
    option: 'freebind',
  },
  workers: {
    schema: numeric(programValues.workers),
    type: 'number, or `auto`',
    default: String(defaults.workers),
    description: 'Workers that share the listeners, 1 to 1024; `auto`: one per core.',
    supervisor: 'numprocs',
    option: 'workers',
  },
  numprocs: {
    schema: numeric(programValues.workers),
    type: 'number, or `auto`',
    default: 'that of `workers`',
    description: 'Another name of `workers`, as in Supervisor.',
    supervisor: 'numprocs',
    alias: 'workers',
  },
  directory: {
    schema: programValues.cwd,
    type: 'path',
    default: 'the directory of the file',
    description: 'Working directory of the workers. It may be a symlink that you repoint at each release.',
    supervisor: 'directory',
  },
  environment: {
    schema: z.record(
      z.string(),
      z.union([z.string(), z.int(), z.boolean()], wantedEnvironment),
      wantedEnvironment,
    ),
    type: 'table of strings',
    default: 'empty',
    description:
      'Environment variables of the workers. They override those of the master; those of `[defaults]` are added.',
    supervisor: 'environment',
  },
  env_file: {
    schema: programValues.environmentFile,
    type: 'path',
    default: 'none',
    description:
      'A file with `NAME=value` lines, which override `environment`. It is read again for every worker.',
    supervisor: null,
  },
  ...launchKeys,
  ...outputKeys,
  watch: {
    schema: z.union(
      [boolean(z.boolean('true or false')), z.array(z.string().check(z.minLength(1)))],
      wantedOf(programValues.watch),
    ),
    type: 'boolean, or list of paths',
    default: 'false',
    description: "Reload when the content of these paths changes; `true`: the program's own file.",
    supervisor: null,
  },
  ready: {
    schema: programValues.ready,
    type: 'string',
    default: defaults.ready,
    description:
      'When a worker is ready. `auto`: Node.js once it listens, another program once it sends READY=1 (sd_notify) or has run for `startsecs`. The others are `listen`, `message`, `notify`, `fd:5`, `exec:COMMAND`, `delay:2s`, `tcp:9000`, `http:/path` (asked inside a Node.js worker; a worker in another language is asked over its own socket, which needs `reuse_port`) and `http://127.0.0.1:9000/path` (docs/readiness.md).',
    supervisor: null,
    pattern: orVariable('auto|listen|message|notify|(?:fd|exec|delay|tcp|http):.+'),
    option: 'ready',
  },
  warmup: {
    schema: numeric(programValues.warmup),
    type: 'number',
    default: String(defaults.warmup),
    description:
      'Number of warm-up requests to the path of `ready = "http:/path"` before a worker accepts connections, 0 to 10000.',
    supervisor: null,
    option: 'warmup',
  },
  startsecs: {
    schema: seconds(programValues.startsecs),
    type: 'duration, or seconds',
    default: `${defaults.startsecs}; ${defaultsOfType.oneshot.startsecs} for a \`oneshot\``,
    description:
      'How long a program that is not Node.js has to run until it counts as ready, if `ready` is `auto`, 0s to 24h.',
    supervisor: 'startsecs',
    option: 'startsecs',
  },
  ready_timeout: {
    schema: programValues.readyTimeout,
    type: 'duration',
    default: defaults.readyTimeout,
    description: 'How long a new worker may take to become ready, 1ms to 24h.',
    supervisor: null,
    pattern: duration,
    option: 'readyTimeout',
  },
  drain_timeout: {
    schema: programValues.drainTimeout,
    type: 'duration',
    default: defaults.drainTimeout,
    description: 'How long an old worker may drain before SIGTERM (SIGKILL follows 2s later), 0s to 24h.',
    supervisor: null,
    pattern: duration,
    option: 'drainTimeout',
  },
  drain_signal: {
    schema: programValues.drainSignal,
    type: '`auto`, `none`, or a signal',
    default: defaults.drainSignal,
    description:
      'The signal that tells a worker that is not Node.js to drain: `"TERM"`, `"QUIT"` …; `auto`: the signal that its program expects (docs/programs.md), or else TERM; `none`: there is none, so the worker serves until `drain_timeout`, and connections that are still open then are cut.',
    supervisor: null,
    pattern: orVariable(`auto|none|(?:SIG)?(?:${drainSignalNames.join('|')})`),
    option: 'drainSignal',
  },
  rescue: {
    schema: programValues.rescue,
    type: 'duration',
    default: defaults.rescue,
    description:
      'How long workers go on serving after their master was killed, so that the next master can take the listeners over from them, 0s to 24h; `0s`: they drain at once (docs/upgrade.md#if-the-master-is-killed).',
    supervisor: null,
    pattern: duration,
    option: 'rescue',
  },
  ...stopKeys,
  probation: {
    schema: programValues.probation,
    type: 'duration',
    default: defaults.probation,
    description:
      'How long the old workers stay after a reload, to take over again if a new worker crashes, 0s to 24h; `0s` turns it off.',
    supervisor: null,
    pattern: duration,
    option: 'probation',
  },
  migrate: {
    schema: boolean(programValues.migrate),
    type: 'boolean',
    default: String(defaults.migrate),
    description: 'Move open connections to the new workers at a reload.',
    supervisor: null,
    option: 'migrate',
  },
  autostart: {
    schema: boolean(programValues.autostart),
    type: 'boolean',
    default: String(defaults.autostart),
    description:
      'Start the program with the master. If false, it is started only by `gracefulctl start NAME` (or `restart NAME`), or when a program that depends on it is started.',
    supervisor: 'autostart',
    option: 'autostart',
  },
  depends_on: {
    schema: programValues.dependsOn,
    type: 'list of names',
    default: 'none',
    description:
      'Programs that must serve before this one is started. When the master stops, they are stopped after it.',
    supervisor: null,
    option: 'dependsOn',
  },
  ...kindKeys,
  ...scheduleKeys,
  ...restartKeys,
  ...rolloutKeys,
  ...hookKeys,
  ...replacementKeys,
};

/** Keys that are other names of keys, each with the key that it stands for. */
export const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries(programKeys).flatMap(([key, { alias }]) => (alias === undefined ? [] : [[key, alias]])),
);

/** Keys that only a program itself can have, and not `[defaults]`. */
const ownKeys: ReadonlySet<string> = new Set([
  'command',
  'port',
  'listen',
  'depends_on',
  'type',
  'schedule',
  'adopt_pid_file',
]);

/** The keys of `[defaults]`. */
export const defaultKeys: Readonly<Record<string, ConfigKey>> = Object.fromEntries(
  Object.entries(programKeys).filter(([key]) => !ownKeys.has(key)),
);

/** The keys of `[master]`. */
export const masterKeys: Readonly<Record<string, ConfigKey>> = {
  name: {
    schema: programName,
    type: 'name',
    default: "the file's name without its ending; for graceful.*, the name of its directory",
    description: 'Name of the master and of its control socket, by which gracefulctl finds it.',
    supervisor: 'identifier',
    pattern: orVariable(name),
  },
  control: {
    schema: boolean(masterValues.control),
    type: 'boolean',
    default: String(defaults.control),
    description: 'Open the control socket that gracefulctl uses.',
    supervisor: null,
  },
  remember: {
    schema: boolean(z.boolean('true or false')),
    type: 'boolean',
    default: String(defaults.remember),
    description:
      'Remember, across restarts of the master, which programs were stopped or started by a request ([where](supervision.md#what-is-wanted)).',
    supervisor: null,
  },
  metrics: {
    schema: metricsAddress,
    type: 'address',
    default: 'none',
    description:
      'A TCP address that serves [/metrics](metrics.md) to Prometheus: `"127.0.0.1:9100"`. The control socket does so in any case.',
    supervisor: null,
    pattern: orVariable('(?:\\[[0-9A-Fa-f:.%\\w]+\\]|[^\\s:\\[\\]=]+):\\d{1,5}'),
  },
  metrics_token: {
    schema: metricsToken,
    type: 'string',
    default: 'none',
    description: 'Requests to the address need `Authorization: Bearer` and this token: `"${METRICS_TOKEN}"`.',
    supervisor: null,
  },
  metrics_cert: {
    schema: programValues.cwd,
    type: 'path',
    default: 'none',
    description:
      'A certificate with its chain, in PEM format: the address speaks HTTPS. It is read again when it has changed. Needs `metrics_key`.',
    supervisor: null,
  },
  metrics_key: {
    schema: programValues.cwd,
    type: 'path',
    default: 'none',
    description: 'The private key of `metrics_cert`, in PEM format.',
    supervisor: null,
  },
  log_level: {
    schema: oneOf(logLevels),
    type: 'string',
    default: defaults.logLevel,
    description: `${logLevels.slice(0, -1).join(', ')} or ${logLevels.at(-1) ?? ''}. \`--log-level\` overrides it.`,
    supervisor: 'loglevel',
    pattern: orVariable(logLevels.join('|')),
  },
  log_format: {
    schema: oneOf(logFormats),
    type: 'string',
    default: 'pretty on a terminal, else json',
    description: '`json` or `pretty`. `--log-format` overrides it.',
    supervisor: null,
    pattern: orVariable(logFormats.join('|')),
  },
};

/** The keys of the file itself. */
export const fileKeys = {
  include:
    'Other config files to read: paths and patterns (`*`, `?`, `[a-z]`, `{a,b}`, `**`), relative to the directory of this file.',
  master: 'Settings of the master itself. Not allowed in included files.',
  defaults: 'Default values for all programs of this file and of the files that it includes.',
  program:
    'The programs, one table for each. Its name has up to 64 letters, digits, dots, dashes and underscores, and begins with neither a dot nor a dash.',
  group: "Groups of programs, one table for each, for commands such as `gracefulctl restart 'NAME:*'`.",
} as const;

type Shape = Readonly<Record<string, z.ZodMiniType>>;

function shapeOf(keys: Readonly<Record<string, ConfigKey>>): Shape {
  return Object.fromEntries(Object.entries(keys).map(([key, { schema }]) => [key, z.optional(schema)]));
}

/** The schema of a program's table. Every key is optional, because a key that is needed may come from `[defaults]`. */
export const programSchema: z.ZodMiniType<Record<string, unknown>> = z.object(shapeOf(programKeys));
export const groupSchema: z.ZodMiniType<Record<string, unknown>> = z.object(shapeOf(groupKeys));
export const masterSchema: z.ZodMiniType<Record<string, unknown>> = z.object(shapeOf(masterKeys));

export const patterns: { readonly listenAddress: string; readonly name: string } = {
  listenAddress,
  name: `^${name}$`,
};
