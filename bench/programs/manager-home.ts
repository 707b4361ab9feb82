/** The folder of a tool that runs many programs: its config, its sockets, its logs and its temporary files are in it. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { markedProcesses } from '../../test/helpers/marked-processes.ts';
import { untilServing, type Launched } from '../peers/launch.ts';
import { atTheEnd, environment, temporaryFolder } from '../processes.ts';
import { signalOne } from '../proc.ts';
import type { ProgramToRun } from './manager.ts';

const runFile = promisify(execFile);

/** The variable that marks the processes of a tool: every process that the tool starts inherits it. */
const mark = 'GRACEFUL_RUN_BENCH_HOME';

/** How long a command may take: enough to wait until 100 programs have been restarted one after the other. */
const commandPatienceMs = 300_000;

export interface ManagerHome {
  readonly path: string;
  /** The environment of the tool and of its commands. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs one of the tool's commands. Resolves when it has succeeded. */
  command(file: string, args: readonly string[]): Promise<void>;
  /** Kills every process that was started with `env`, and deletes the folder. */
  remove(): void;
}

export function createManagerHome(extra: (path: string) => NodeJS.ProcessEnv): ManagerHome {
  const folder = temporaryFolder();
  const temporary = join(folder.path, 'tmp');
  mkdirSync(temporary);
  const env = environment({ ...extra(folder.path), TMPDIR: temporary, [mark]: folder.path });
  const kill = (): void => {
    for (const pid of homeProcesses(folder.path)) signalOne(pid, 'SIGKILL');
  };
  const forget = atTheEnd(kill);
  return {
    path: folder.path,
    env,
    async command(file, args) {
      await runFile(file, args, {
        env,
        cwd: folder.path,
        timeout: commandPatienceMs,
        maxBuffer: 2 ** 26,
      });
    },
    remove() {
      kill();
      forget();
      folder.remove();
    },
  };
}

/** Returns the living processes that were started with the environment of this home. */
export function homeProcesses(path: string): readonly number[] {
  return markedProcesses(mark, path).map(({ pid }) => pid);
}

/** Resolves when one of the programs responds. If none does, rejects with the output of the tool, after ending all of its processes. */
export async function untilFirstServes(
  master: Launched,
  home: ManagerHome,
  [first]: readonly ProgramToRun[],
): Promise<void> {
  try {
    await untilServing(master, first?.ports[0] ?? 0);
  } catch (error) {
    home.remove();
    throw error;
  }
}
