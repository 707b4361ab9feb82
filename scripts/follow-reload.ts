/**
 * Lists the source files that a reload passes through, from the SIGHUP to the exit of the old worker: `node --import tsx scripts/follow-reload.ts`.
 * It runs a master in this process and workers with bundles that are not minified, and asks V8 which functions ran. Its output is for ARCHITECTURE.md
 * ("Follow a reload").
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build } from 'esbuild';
import { main } from '../src/master/cli/main.ts';
import { workerBundles } from './worker-bundles.js';

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
    }[];
  }[];
}

const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'follow-'));
const port = 18_080;
const app = `require('http').createServer((q, r) => r.end('x')).listen(${port})`;

/** Returns the source file of a function in a bundle: esbuild names it in a comment in front of each module. */
function sourceAt(bundle: string, offset: number): string | null {
  const before = bundle
    .slice(0, offset)
    .match(/^ *\/\/ (src\/\S+\.ts)$/gm)
    ?.at(-1);
  return before?.replace(/^ *\/\/ /, '') ?? null;
}

function filesOf({ result }: Coverage, fileOf: (url: string, offset: number) => string | null): Set<string> {
  const files = new Set<string>();
  for (const { url, functions } of result)
    for (const { functionName, ranges } of functions) {
      const [whole] = ranges;
      if (whole === undefined || whole.count === 0 || functionName === '') continue;
      const file = fileOf(url, whole.startOffset + 1);
      if (file !== null) files.add(file);
    }
  return files;
}

function print(title: string, files: ReadonlySet<string>): void {
  console.log(`\n${title}: ${files.size} files`);
  for (const file of [...files].sort()) console.log(`  ${file}`);
}

for (const options of workerBundles)
  await build({ ...options, absWorkingDir: root, outdir: join(root, 'dist/worker') });
process.env['NODE_V8_COVERAGE'] = folder;
process.env['XDG_RUNTIME_DIR'] = folder;
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
void main(['--port', String(port), '--log-level', 'error', '--', process.execPath, '-e', app]);
await pause(1_500);

// An idle keep-alive connection, which moves.
const agent = new http.Agent({ keepAlive: true });
const ask = async (): Promise<void> =>
  new Promise((resolve) => {
    http.get({ port, agent }, (response) => response.resume().once('end', resolve));
  });
await ask();
await session.post('Profiler.takePreciseCoverage');
process.kill(process.pid, 'SIGHUP');
await pause(4_000);
await ask();
const inMaster = (await session.post('Profiler.takePreciseCoverage')) as unknown as Coverage;
print(
  'master',
  filesOf(inMaster, (url) =>
    url.includes(`${root}src/`) ? url.slice(url.indexOf(`${root}src/`) + root.length) : null,
  ),
);
agent.destroy();

const inWorkers = new Set<string>();
for (const name of readdirSync(folder).filter((file) => file.startsWith('coverage-'))) {
  const coverage = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage;
  const bundles = new Map<string, string>();
  const found = filesOf(coverage, (url, offset) => {
    if (!url.includes('dist/worker/')) return null;
    const file = url.replace('file://', '');
    const text = bundles.get(file) ?? readFileSync(file, 'utf8');
    bundles.set(file, text);
    return sourceAt(text, offset);
  });
  for (const file of found) inWorkers.add(file);
}
print('workers', inWorkers);
rmSync(folder, { recursive: true, force: true });
process.kill(process.pid, 'SIGTERM');
