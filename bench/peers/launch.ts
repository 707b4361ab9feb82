/** The parts that drivers share: starting a master in the foreground, and finding out what the tool does not report. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { eventually } from '../../test/helpers/eventually.ts';
import { firstAnswer } from '../answers.ts';
import { packagePath, startProcess, type Started, type StartOptions } from '../processes.ts';
import { allGone, childrenOf, signalTree } from '../proc.ts';
import type { RunningTool } from './tool.ts';

/** How long a start, a reload or a stop may take. */
export const patienceMs = 20_000;

/** A master that was started in the foreground. Its last output is kept in case it does not serve. */
export interface Launched {
  /** That of the master that was started last. */
  readonly pid: number;
  readonly stderr: () => string;
  /** Ends the master that was started last. */
  readonly stop: () => Promise<void>;
  /** Starts another one in the same way. `started` of `launch` is called with it, too. */
  readonly again: () => void;
}

const keptChars = 4_000;

export function launch(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
  started: (child: ChildProcess) => void = () => undefined,
): Launched {
  let stderr = '';
  const start = (): Started => {
    const process = startProcess(command, args, options);
    process.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-keptChars);
    });
    started(process.child);
    return process;
  };
  let current = start();
  return {
    get pid() {
      return current.pid;
    },
    stderr: () => stderr,
    stop: () => current.stop(),
    again() {
      current = start();
    },
  };
}

/** Resolves when the port responds; if it does not, ends the master and rejects with its output. */
export async function untilServing({ stderr, stop }: Launched, port: number): Promise<void> {
  try {
    await firstAnswer(port, () => true, patienceMs);
  } catch (cause) {
    await stop();
    throw new Error(`it does not serve: ${stderr()}`, { cause });
  }
}

/** Drives a master that is the parent of its workers and does not report when a reload is done. */
export function runReplacing(
  master: Launched,
  port: number,
  askForReload: () => Promise<void> | void,
): RunningTool {
  const workerPids = (): readonly number[] => childrenOf(master.pid);
  return {
    port,
    masterPids: () => [master.pid],
    workerPids,
    async reload() {
      const before = new Set(workerPids());
      await askForReload();
      await eventually('a new worker', () => workerPids().some((pid) => !before.has(pid)), patienceMs);
      await firstAnswer(port, (body) => !before.has(Number(body)), patienceMs);
    },
    startAgain: master.again,
    stop: () => stopWithWorkers(master, workerPids),
  };
}

/** Ends a master, and the workers that do not end with it. */
export async function stopWithWorkers(
  master: Pick<Started, 'stop'>,
  workerPids: () => readonly number[],
): Promise<void> {
  const workers = workerPids();
  await master.stop();
  // Old workers may still be draining, each with its own timeout. There is no need to wait for them.
  for (const pid of workers) signalTree(pid, 'SIGKILL');
  await allGone(workers, patienceMs);
}

/** Returns the first version number that a command prints; null if there is no such command. */
export function versionOf(command: string, args: readonly string[]): string | null {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return null;
  return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? 'unknown version';
}

/** Returns the version of a package of bench/package.json; null if it is not installed. */
export function packageVersion(name: string): string | null {
  try {
    const { version } = JSON.parse(readFileSync(packagePath(`${name}/package.json`), 'utf8')) as {
      version: string;
    };
    return version;
  } catch {
    return null;
  }
}
