/** Runs the load generators wrk and hey, and reads what they count. */
import { spawn } from 'node:child_process';
import { messageOf, systemCode } from '../src/shared/errors.ts';
import type { NotMeasured } from './own/results.ts';

export interface ToolCounts {
  readonly requests: number;
  readonly durationMs: number;
  /** Failures by kind; kinds that did not occur are left out. */
  readonly kinds: Readonly<Record<string, number>>;
}

const report = new URL('wrk-report.lua', import.meta.url).pathname;

/** Runs wrk with one thread and 32 connections. It ends early if `enough` resolves. */
export async function runWrk(
  port: number,
  durationMs: number,
  headers: readonly string[] = [],
  enough: Promise<unknown> = new Promise(() => undefined),
): Promise<ToolCounts | NotMeasured> {
  const args = [
    '-t1',
    '-c32',
    `-d${Math.ceil(durationMs / 1_000)}s`,
    '-s',
    report,
    ...headers.flatMap((header) => ['-H', header]),
  ];
  const output = await run('wrk', [...args, url(port)], durationMs, enough);
  if (typeof output !== 'string') return output;
  const counts: unknown = JSON.parse(output.slice(output.lastIndexOf('{')));
  const count = (name: string): number => {
    const value: unknown = typeof counts === 'object' && counts !== null ? Reflect.get(counts, name) : null;
    return typeof value === 'number' ? value : NaN;
  };
  const kinds = ['connect', 'read', 'write', 'timeout', 'status'].map((kind): [string, number] => [
    kind,
    count(kind),
  ]);
  return {
    requests: count('requests'),
    durationMs: count('durationUs') / 1_000,
    kinds: Object.fromEntries(kinds.filter(([, failed]) => failed !== 0)),
  };
}

/** Runs hey with 32 clients and a new connection for every request. */
export async function runHey(port: number, durationMs: number): Promise<ToolCounts | NotMeasured> {
  const output = await run(
    'hey',
    ['-disable-keepalive', '-c', '32', '-z', `${durationMs}ms`, url(port)],
    durationMs,
    new Promise(() => undefined),
  );
  if (typeof output !== 'string') return output;
  const kinds = new Map<string, number>();
  let requests = 0;
  for (const [, status, count] of output.matchAll(/^\s*\[(\d+)\]\s+(\d+) responses$/gm)) {
    requests += Number(count);
    if (status !== '200') kinds.set(`status ${status}`, Number(count));
  }
  const errors = output.split('Error distribution:')[1] ?? '';
  for (const [, count, message = ''] of errors.matchAll(/^\s*\[(\d+)\]\s+(.*)$/gm)) {
    const kind = message.replace(/^.*: /, '');
    kinds.set(kind, (kinds.get(kind) ?? 0) + Number(count));
    requests += Number(count);
  }
  return { requests, durationMs, kinds: Object.fromEntries(kinds) };
}

/** Returns the output of a tool, or the reason why there is none. */
function run(
  tool: string,
  args: readonly string[],
  durationMs: number,
  enough: Promise<unknown>,
): Promise<string | NotMeasured> {
  return new Promise((resolve) => {
    const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: durationMs + 30_000 });
    // On SIGINT the tools print what they have counted so far.
    const interrupt = (): unknown => child.kill('SIGINT');
    void enough.then(interrupt, interrupt);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', (error) => {
      const isAbsent = systemCode(error) === 'ENOENT';
      resolve({ missing: isAbsent ? `${tool} is not installed (Debian package ${tool})` : messageOf(error) });
    });
    child.on('close', (code, signal) => {
      resolve(code === 0 ? output : { missing: `${tool} ended with ${code ?? signal ?? 'nothing'}` });
    });
  });
}

function url(port: number): string {
  return `http://127.0.0.1:${port}/`;
}
