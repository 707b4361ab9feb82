/** pm2 with an ecosystem file: cluster mode, as its guide to graceful reloads recommends. One daemon for all programs. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageVersion } from '../peers/launch.ts';
import { appPath, packagePath } from '../processes.ts';
import { childrenOf } from '../proc.ts';
import { createManagerHome } from './manager-home.ts';
import { type Manager, type ProgramToRun, type RunningManager } from './manager.ts';

const executable = packagePath('pm2/bin/pm2');

export const pm2: Manager = {
  name: 'pm2',
  setup:
    'an ecosystem file with one app for each program, cluster mode, `instances: 2`, `wait_ready`, `kill_timeout` 3 s; `pm2 start FILE`, `ls`, `startOrReload FILE`, `reload all`, `kill`',
  version: () => packageVersion('pm2'),
  start,
};

async function start(programs: readonly ProgramToRun[]): Promise<RunningManager> {
  const home = createManagerHome((path) => ({ PM2_HOME: path, PM2_DISCRETE_MODE: 'true' }));
  const file = join(home.path, 'ecosystem.json');
  const write = (changed?: ProgramToRun, release = 0): void => {
    const apps = programs.map((program) => appOf(program, program === changed ? release : 0));
    writeFileSync(file, JSON.stringify({ apps }));
  };
  write();
  const command = (...words: readonly string[]): Promise<void> =>
    home.command(process.execPath, [executable, ...words]);
  // The daemon detaches from its command, and writes its pid to a file when it runs.
  const pidFile = join(home.path, 'pm2.pid');
  const masterPids = (): readonly number[] =>
    existsSync(pidFile) ? [Number(readFileSync(pidFile, 'utf8'))] : [];
  try {
    await command('start', file);
  } catch (error) {
    home.remove();
    throw error;
  }
  return {
    masterPids,
    workerPids: () => masterPids().flatMap(childrenOf),
    portsOf: ({ ports }) => ports.slice(0, 1),
    status: () => command('ls'),
    edit: write,
    updates: [
      { command: 'pm2 startOrReload FILE', run: () => command('startOrReload', file, '--update-env') },
      {
        command: 'pm2 startOrReload FILE --only NAME',
        run: ({ name }) => command('startOrReload', file, '--update-env', '--only', name),
      },
    ],
    reloadAll: () => command('reload', 'all'),
    stop: () => command('kill'),
    remove: () => {
      home.remove();
    },
    folder: home.path,
    ownFiles: [file],
  };
}

function appOf({ name, ports }: ProgramToRun, release: number): object {
  return {
    name,
    script: appPath('pm2.cjs'),
    exec_mode: 'cluster',
    instances: ports.length,
    wait_ready: true,
    listen_timeout: 30_000,
    kill_timeout: 3_000,
    env: { PORT: String(ports[0]), RELEASE: String(release) },
  };
}
