/** Supervisor: its processes cannot share a port, so each has its own. It replaces a process by stopping it first. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, versionOf } from '../peers/launch.ts';
import { appPath } from '../processes.ts';
import { childrenOf } from '../proc.ts';
import { createManagerHome, untilFirstServes } from './manager-home.ts';
import { type Manager, type ProgramToRun, type RunningManager } from './manager.ts';

export const supervisord: Manager = {
  name: 'supervisord',
  setup:
    '`numprocs=2`, `minfds=4096` (the default is not enough for 100 programs), else its defaults; each process has its own port, because processes cannot share one, and no proxy is in front; `supervisorctl status`, `update`, `restart all` (it has no reload), `shutdown`',
  version: () => versionOf('supervisord', ['--version']),
  start,
};

async function start(programs: readonly ProgramToRun[]): Promise<RunningManager> {
  const home = createManagerHome(() => ({}));
  const file = join(home.path, 'supervisord.conf');
  mkdirSync(join(home.path, 'log'));
  const write = (changed?: ProgramToRun, release = 0): void => {
    writeFileSync(file, configOf(home.path, programs, changed, release));
  };
  write();
  const master = launch('supervisord', ['-n', '-c', file], { env: home.env, cwd: home.path });
  await untilFirstServes(master, home, programs);
  const { pid } = master;
  const command = (...words: readonly string[]): Promise<void> =>
    home.command('supervisorctl', ['-c', file, ...words]);
  return {
    masterPids: () => [pid],
    workerPids: () => childrenOf(pid),
    portsOf: ({ ports }) => ports,
    status: () => command('status'),
    edit: write,
    updates: [{ command: 'supervisorctl update', run: () => command('update') }],
    reloadAll: () => command('restart', 'all'),
    stop: () => command('shutdown'),
    remove: () => {
      home.remove();
    },
    folder: home.path,
    ownFiles: [file],
  };
}

function configOf(
  home: string,
  programs: readonly ProgramToRun[],
  changed: ProgramToRun | undefined,
  release: number,
): string {
  const socket = join(home, 'supervisor.sock');
  return [
    '[unix_http_server]',
    `file=${socket}`,
    '[supervisord]',
    `logfile=${join(home, 'log', 'supervisord.log')}`,
    `pidfile=${join(home, 'supervisord.pid')}`,
    `childlogdir=${join(home, 'log')}`,
    'minfds=4096',
    '[rpcinterface:supervisor]',
    'supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface',
    '[supervisorctl]',
    `serverurl=unix://${socket}`,
    ...programs.flatMap((program) => [
      `[program:${program.name}]`,
      `command=${process.execPath} ${appPath('ends-on-signal.cjs')}`,
      'process_name=%(program_name)s-%(process_num)d',
      `numprocs=${program.ports.length}`,
      // The ports of a program are consecutive, and the number of a process is its port.
      `numprocs_start=${program.ports[0] ?? 0}`,
      `environment=PORT="%(process_num)d",RELEASE="${program === changed ? release : 0}"`,
    ]),
    '',
  ].join('\n');
}
