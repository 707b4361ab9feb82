/** Keys that other tools have, and what to write here. Pure. */

const program: Readonly<Record<string, string>> = {
  cwd: 'directory',
  env: 'environment',
  environment_file: 'env_file',
  environmentFile: 'env_file',
  'env-file': 'env_file',
  instances: 'workers',
  processes: 'workers',
  replicas: 'workers',
  script: 'command',
  exec: 'command',
  cmd: 'command',
  args: 'command',
  interpreter: 'command',
  address: 'host',
  bind: 'listen',
  ports: 'listen',
  wait_ready: 'ready',
  healthcheck: 'ready',
  listen_timeout: 'ready_timeout',
  start_timeout: 'ready_timeout',
  kill_timeout: 'drain_timeout',
  stop_timeout: 'stopwaitsecs',
  stop_signal: 'stopsignal',
  kill_signal: 'stopsignal',
  min_uptime: 'startsecs',
  start_period: 'startsecs',
  enabled: 'autostart',
  restart: 'autorestart',
  max_restarts: 'startretries',
  max_memory_restart: 'max_memory',
  after: 'depends_on',
  requires: 'depends_on',
};

/** Keys of other tools that have no counterpart here, with what to do instead. */
const needless: Readonly<Record<string, string>> = {
  killasgroup: 'SIGKILL always goes to all processes of a worker',
  exec_mode: 'it is not needed: set the number of workers with workers',
  drain: 'a program that drains on no signal has drain_signal = "none" and drain_timeout = "5s"',
  ignore_watch: 'there is no list of ignored paths: name only the paths to watch in watch',
  name: 'the name is part of the table: [program.NAME]',
};

const top: Readonly<Record<string, string>> = {
  programs: 'program',
  apps: 'program',
  services: 'program',
  default: 'defaults',
  includes: 'include',
  groups: 'group',
  supervisord: 'master',
};

/** Says what to write instead of this key of another tool; null if it is not one. */
export function foreignKey(key: string, where: 'program' | 'file' | 'master' | 'group'): string | null {
  const words = where === 'program' ? program : where === 'file' ? top : {};
  if (where === 'program' && Object.hasOwn(needless, key)) return needless[key] ?? null;
  const meant = Object.hasOwn(words, key) ? words[key] : undefined;
  return meant === undefined ? null : `it is called ${meant} here`;
}
