/**
 * Starts the processes that are measured, and ensures that none outlives the run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, signalTree } from './proc.ts';

/** The clean-up to run when this process ends early, besides killing its children; in reverse order. */
const leftovers = new Set<() => void>();
process.on('exit', () => {
  // The children include load generators and commands of other tools.
  for (const child of childrenOf(process.pid)) signalTree(child, 'SIGKILL');
  for (const end of [...leftovers].reverse()) end();
});

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Ends the process with everything that it started, and resolves when it has exited. */
  readonly stop: () => Promise<void>;
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The signal that ends the process, which has 10 s to exit. Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** The descriptors beyond stdio: an IPC channel, or none (the default). */
  readonly ipc?: boolean;
}

/** The path of an application in bench/apps. */
export function appPath(name: string): string {
  return new URL(`apps/${name}`, import.meta.url).pathname;
}

/** The path of a file in a package of bench/package.json. */
export function packagePath(name: string): string {
  return new URL(`node_modules/${name}`, import.meta.url).pathname;
}

/** Returns the environment of the bench without variables that distort results: NODE_EXTRA_CA_CERTS alone costs Node.js 20 up to 60 ms at its start. */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const all = { ...process.env, ...extra };
  const distorting = new Set(['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS']);
  return Object.fromEntries(Object.entries(all).filter(([name]) => !distorting.has(name)));
}

/**
 * Starts a process the way workers are started: stdout is discarded, stderr is a pipe, and it has its own process group. Returns at once,
 * because the time until it serves may be the measurement.
 */
export function startProcess(command: string, args: readonly string[], options: StartOptions = {}): Started {
  const { env, cwd, stopSignal = 'SIGTERM', ipc = false } = options;
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    detached: true,
    env: environment(env),
    ...(cwd === undefined ? {} : { cwd }),
  });
  child.stderr?.on('error', () => undefined);
  return { child, pid: child.pid ?? -1, stop: ender(child, stopSignal) };
}

/** Creates a folder that `remove`, or at the latest the end of the run, deletes. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'gr-bench-'));
  const remove = (): void => {
    rmSync(path, { recursive: true, force: true });
    leftovers.delete(remove);
  };
  leftovers.add(remove);
  return { path, remove };
}

/** Calls `end` when the run ends, unless the returned function was called before. */
export function atTheEnd(end: () => void): () => void {
  leftovers.add(end);
  return () => {
    leftovers.delete(end);
  };
}

const patienceMs = 10_000;

function ender(child: ChildProcess, signal: NodeJS.Signals): () => Promise<void> {
  const exited = once(child, 'exit').catch(() => undefined);
  const kill = (): void => {
    if (child.pid !== undefined) signalTree(child.pid, 'SIGKILL');
  };
  return async () => {
    const patience = setTimeout(kill, patienceMs);
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await exited;
    }
    clearTimeout(patience);
  };
}
