/** gracefulctl as a process that a test has started, and what came of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** The command as it is built. */
export const built: string = new URL('../../bin/gracefulctl.cjs', import.meta.url).pathname;

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** As it is built, because that starts in half the time. `env` says where the control sockets are. */
export function startGracefulctl(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [built, ...args], {
    env: { ...process.env, FORCE_COLOR: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Resolves when it has ended. */
export async function outcomeOf(child: ChildProcess): Promise<Ended> {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  await once(child, 'close');
  return { code: child.exitCode, out, err };
}

/** To its end. */
export function gracefulctl(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return outcomeOf(startGracefulctl(args, env));
}
