/**
 * Starts the processes that are measured, and sees to it that none outlives the run. It must not know what is measured, nor
 * which tool a process belongs to.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, signalTree } from './proc.ts';

/** What cleans up behind this process, should it end early, beyond ending its children: what came last goes first. */
const leftovers = new Set<() => void>();
process.on('exit', () => {
  // Load tools and commands of other tools are among them.
  for (const child of childrenOf(process.pid)) signalTree(child, 'SIGKILL');
  for (const end of [...leftovers].reverse()) end();
});

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Ends it with everything that it has started, and resolves when it has ended. */
  readonly stop: () => Promise<void>;
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What asks it to end. Default: SIGTERM. It has 10 s. */
  readonly stopSignal?: NodeJS.Signals;
  /** What the launcher is asked to pass on: Node.js' IPC channel. Default: none. */
  readonly ipc?: boolean;
}

/** The applications that serve. */
export function appPath(name: string): string {
  return new URL(`apps/${name}`, import.meta.url).pathname;
}

/** A file of a package that only bench/package.json names. */
export function packagePath(name: string): string {
  return new URL(`node_modules/${name}`, import.meta.url).pathname;
}

/** The bench's own environment, without what distorts: NODE_EXTRA_CA_CERTS alone costs Node.js 20 up to 60 ms at its start. */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const all = { ...process.env, ...extra };
  const distorting = new Set(['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS']);
  return Object.fromEntries(Object.entries(all).filter(([name]) => !distorting.has(name)));
}

/**
 * Starts a process as a worker has it: stdout that nobody reads, stderr through a pipe, a process group of its own. Returns
 * at once: what it takes until it serves may be what is measured.
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

/** A folder that is removed by `remove`, at the latest when the run ends. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'gr-bench-'));
  const remove = (): void => {
    rmSync(path, { recursive: true, force: true });
    leftovers.delete(remove);
  };
  leftovers.add(remove);
  return { path, remove };
}

/** Has `end` called when the run ends, unless the answer was called before. */
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
