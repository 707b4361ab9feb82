/** graceful-run with a config file: one master for all programs. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProcessArguments } from '../../src/shared/process-arguments.ts';
import { ownVersion } from '../peers/graceful-run.ts';
import { launch } from '../peers/launch.ts';
import { appPath } from '../processes.ts';
import { childrenOf } from '../proc.ts';
import { createManagerHome, untilFirstServes } from './manager-home.ts';
import { type Manager, type ProgramToRun, type RunningManager } from './manager.ts';

const executable: string = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;
const control: string = new URL('../../bin/gracefulctl.cjs', import.meta.url).pathname;

export const gracefulRun: Manager = {
  name: 'graceful-run',
  setup:
    '`graceful-run -c graceful.toml`, everything at its default; `gracefulctl status`, `update`, `reload --all --wait`, `shutdown --wait`',
  version: ownVersion,
  start,
};

async function start(programs: readonly ProgramToRun[]): Promise<RunningManager> {
  const home = createManagerHome((path) => ({ XDG_RUNTIME_DIR: path }));
  const file = join(home.path, 'graceful.toml');
  const write = (changed?: ProgramToRun, release = 0): void => {
    writeFileSync(file, configOf(programs, changed, release));
  };
  write();
  const args = [executable, '-c', file, '--log-format', 'json'];
  const master = launch(process.execPath, args, { env: home.env, cwd: home.path });
  await untilFirstServes(master, home, programs);
  const { pid } = master;
  const command = (...words: readonly string[]): Promise<void> =>
    home.command(process.execPath, [control, ...words]);
  return {
    masterPids: () => [pid, ...scriptOf(pid)],
    workerPids: () => workersOf(pid),
    portsOf: ({ ports }) => ports.slice(0, 1),
    status: () => command('status'),
    edit: write,
    updates: [{ command: 'gracefulctl update', run: () => command('update') }],
    reloadAll: () => command('reload', '--all', '--wait'),
    stop: () => command('shutdown', '--wait'),
    remove: () => {
      home.remove();
    },
    folder: home.path,
    ownFiles: [file],
  };
}

function configOf(
  programs: readonly ProgramToRun[],
  changed: ProgramToRun | undefined,
  release: number,
): string {
  const command = JSON.stringify([process.execPath, appPath('serve.cjs')]);
  return [
    '[master]',
    'name = "bench"',
    '',
    '[defaults]',
    'host = "127.0.0.1"',
    `workers = ${programs[0]?.ports.length ?? 1}`,
    ...programs.flatMap((program) => [
      '',
      `[program.${program.name}]`,
      `command = ${command}`,
      `port = ${program.ports[0] ?? 0}`,
      ...(program === changed ? [`environment = { RELEASE = "${release}" }`] : []),
    ]),
    '',
  ].join('\n');
}

function workersOf(master: number): readonly number[] {
  const scripts = scriptOf(master);
  return childrenOf(master).filter((pid) => !scripts.includes(pid));
}

/** Finds the shell script of the master, which kills workers that outlive the master. */
function scriptOf(master: number): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const words = readProcessArguments(pid);
      return words.at(-1) === String(master) && words.at(-2)?.endsWith('after-master.sh') === true;
    });
}
