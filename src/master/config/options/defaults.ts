/**
 * The default of each option that has one, written as the option is written. The code that compiles options, the table of the command line and the keys of
 * config files take it from here. Pure.
 */
export const defaults = {
  backlog: 4096,
  reusePort: false,
  ipv6Only: false,
  freebind: false,
  workers: 1,
  ready: 'auto',
  warmup: 0,
  startsecs: '1s',
  readyTimeout: '30s',
  drainTimeout: '30s',
  drainSignal: 'auto',
  rescue: '10s',
  migrate: true,
  autostart: true,

  probation: '2s',
  maxSurge: '100%',
  maxUnavailable: 0,
  canary: 0,
  rollbackOn: 'off',

  type: 'server',
  overlap: true,
  priority: 999,
  adoptGrace: '2s',

  ifRunning: 'skip',
  ifMissed: 'skip',

  autorestart: 'true',
  exitcodes: [0],
  startretries: 3,
  backoff: 'exponential',
  backoffMax: '30s',
  crashLoop: 'off',

  stopasgroup: false,
  noNewPrivileges: false,
  replaceInterval: '10s',
  hookTimeout: '10s',

  stdoutLogfile: 'inherit',
  stdoutLogfileMaxbytes: '50MB',
  stdoutLogfileBackups: 10,
  stderrLogfile: 'inherit',
  stderrLogfileMaxbytes: '50MB',
  stderrLogfileBackups: 10,
  redirectStderr: false,
  logPrefix: true,
  logfileCompress: false,
  logfileDaily: false,
  logfileTimestamps: false,
  logfileFormat: 'plain',
  stripAnsi: false,
  syslogFacility: 'daemon',
  logfileOverflow: 'block',

  control: true,
  remember: false,
  logLevel: 'info',
} as const;

/** The defaults of a `worker` or a `oneshot` that differ from those above. */
export const defaultsOfType = {
  server: {},
  worker: { autorestart: 'unexpected' },
  oneshot: { autorestart: 'false', startretries: 0, startsecs: '0s' },
} as const;

/** The default of `startsecs` for a program of this type. */
export function defaultStartsecs(type: keyof typeof defaultsOfType): string {
  return { ...defaults, ...defaultsOfType[type] }.startsecs;
}

/** The defaults of the only program of a master without a config file that differ from those above. */
export const defaultsOfOnly = { startretries: 0 } as const;
