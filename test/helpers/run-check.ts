/** Runs `graceful-run --check` as its users do, and holds it to leaving nothing behind: no process, and no folder of control sockets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CheckReport } from '../../src/master/check/check-report.ts';
import { isAlive, markedProcesses, type MarkedProcess } from './marked-processes.ts';
import { kill, temporaryFolder } from './run-master.ts';

const executable = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;
const mark = 'TEST_CHECKED_BY';
let started = 0;

export interface CheckRun {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The folder of the control sockets. Default: an empty one of its own, in which nothing may be made. */
  readonly runtime?: string;
  /** Default: that of this checkout. */
  readonly executable?: string;
  /** Words in front of the command line. */
  readonly through?: readonly string[];
}

export interface CheckOutcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Of stdout. */
  readonly lines: readonly string[];
  readonly stderr: string;
}

export interface RunningCheck {
  readonly child: ChildProcess;
  /** The check and everything that it has started and that still runs. */
  processes(): readonly MarkedProcess[];
  readonly ended: Promise<CheckOutcome>;
}

/** Starts `graceful-run --check` with these words after it. */
export function startCheck(words: readonly string[], options: CheckRun = {}): RunningCheck {
  const own = `${process.pid}-${++started}`;
  const runtime = options.runtime ?? temporaryFolder();
  const inherited = { ...process.env };
  for (const variable of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS']) Reflect.deleteProperty(inherited, variable);
  const line = [
    ...(options.through ?? []),
    process.execPath,
    options.executable ?? executable,
    '--check',
    ...words,
  ];
  const [file = '', ...args] = line;
  const child = spawn(file, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inherited, XDG_RUNTIME_DIR: runtime, [mark]: own, ...options.env },
  });
  const processes = (): readonly MarkedProcess[] =>
    markedProcesses(mark, own).filter(({ pid }) => isAlive(pid));
  onTestFinished(() => {
    for (const { pid } of processes()) kill(pid);
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(() => {
    const lines = stdout.split('\n').slice(0, -1);
    return { code: child.exitCode, signal: child.signalCode, lines, stderr };
  });
  return { child, processes, ended };
}

/** Resolves when it has ended; rejects when it has left anything behind. */
export async function runCheck(words: readonly string[], options: CheckRun = {}): Promise<CheckOutcome> {
  const runtime = options.runtime ?? temporaryFolder();
  const had = existsSync(join(runtime, 'graceful-run'));
  const check = startCheck(words, { ...options, runtime });
  const outcome = await check.ended;
  const left = check.processes();
  if (left.length > 0) throw new Error(`left behind: ${left.map(({ command }) => command).join('; ')}`);
  if (!had && existsSync(join(runtime, 'graceful-run'))) throw new Error('a folder was made');
  return outcome;
}

/** The document of a check with `--json`. */
export function reportOf({ lines }: CheckOutcome): CheckReport {
  return JSON.parse(lines.join('\n')) as CheckReport;
}
