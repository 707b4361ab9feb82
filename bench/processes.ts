/**
 * The processes that are measured: an application alone, and the same one behind graceful-run; same binary, same
 * environment, same stdio. All of them end by their pids, whatever happens. It must not know what is measured.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FactLog } from '../test/helpers/fact-log.ts';

const executable = new URL('../bin/graceful-run.cjs', import.meta.url).pathname;

/** What ends everything that is still there, should this process end early. */
const leftovers = new Set<() => void>();
process.on('exit', () => {
  for (const end of leftovers) end();
});

export interface Running {
  readonly pid: number;
  readonly port: number;
  /** Ends it, and resolves when it has ended. */
  stop(): Promise<void>;
}

export interface RunningMaster extends Running {
  readonly log: FactLog;
}

export function appPath(name: string): string {
  return new URL(`apps/${name}`, import.meta.url).pathname;
}

/** The bench's own environment, without what distorts: NODE_EXTRA_CA_CERTS alone costs Node.js 20 up to 60 ms at its start. */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const all = { ...process.env, ...extra };
  const distorting = new Set(['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS']);
  return Object.fromEntries(Object.entries(all).filter(([name]) => !distorting.has(name)));
}

/** Starts an application by itself. Returns at once: what it takes until it serves may be what is measured. */
export function startBare(args: readonly string[], port: number): Running {
  // As a worker has it: stdout that nobody reads, stderr through a pipe, a process group of its own.
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: environment({ PORT: String(port) }),
  });
  child.stderr.resume();
  return { pid: child.pid ?? -1, port, stop: ender(child, 'SIGKILL') };
}

/** Starts an application behind graceful-run with one worker; resolves when it serves. */
export async function startManaged(app: string): Promise<RunningMaster> {
  const runtime = mkdtempSync(join(tmpdir(), 'gr-bench-'));
  const flags = ['--port', '0', '--name', 'bench', '--log-format', 'json'];
  const child = spawn(process.execPath, [executable, ...flags, '--', process.execPath, appPath(app)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: environment({ XDG_RUNTIME_DIR: runtime }),
  });
  const log = new FactLog();
  log.read(child.stderr);
  child.once('exit', () => {
    log.end();
  });
  const end = ender(child, 'SIGTERM');
  const removeRuntime = (): void => {
    rmSync(runtime, { recursive: true, force: true });
  };
  leftovers.add(removeRuntime);
  const stop = async (): Promise<void> => {
    await end();
    removeRuntime();
    leftovers.delete(removeRuntime);
  };
  try {
    await log.waitFor('generationReady', { generation: 1 });
    const { port } = await log.waitFor('listenerBound');
    return { pid: child.pid ?? -1, port, log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Often enough to see the first answer soon, and seldom enough not to be a load: while a reload is measured the old worker
 * answers the polls, on the processors that the new one boots on; a bare boot has nobody who does.
 */
const pollEveryMs = 4;

/** Resolves to the body of the first answer that passes; asks with a connection of its own each time. */
export async function firstAnswer(
  port: number,
  passes: (body: string) => boolean,
  withinMs = 20_000,
): Promise<string> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const body = await askOnce(port);
    if (body !== null && passes(body)) return body;
    await pause(pollEveryMs);
  }
  throw new Error(`no such answer on port ${port} within ${withinMs} ms`);
}

/** The body of one answer; null when there was none. */
function askOnce(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write('GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n');
    });
    socket.setTimeout(5_000, () => {
      socket.destroy();
    });
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const at = text.indexOf('\r\n\r\n');
      resolve(at < 0 ? null : text.slice(at + 4));
    });
  });
}

function ender(child: ChildProcess, signal: NodeJS.Signals): () => Promise<void> {
  const exited = once(child, 'exit');
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  leftovers.add(kill);
  return async () => {
    const patience = setTimeout(kill, 10_000);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await exited;
    }
    clearTimeout(patience);
    leftovers.delete(kill);
  };
}
