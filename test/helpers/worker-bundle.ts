/** Builds the worker's part of the package into a temporary folder, once per test file, so that no test needs dist/. */
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { workerBundles } from '../../scripts/worker-bundles.js';

const root = new URL('../..', import.meta.url).pathname;

export interface WorkerBundle {
  readonly preload: string;
  readonly api: string;
}

let bundle: Promise<WorkerBundle> | null = null;

export function workerBundle(): Promise<WorkerBundle> {
  return (bundle ??= buildBundle());
}

async function buildBundle(): Promise<WorkerBundle> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'graceful-run-worker-')));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const common: BuildOptions = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    external: ['http-terminator'],
    logLevel: 'warning',
  };
  const preload = join(folder, 'preload.cjs');
  const api = join(folder, 'index.mjs');
  await Promise.all([
    ...workerBundles.map((options) => build({ ...common, ...options, outdir: folder })),
    build({ ...common, format: 'esm', entryPoints: ['src/worker/index.ts'], outfile: api }),
  ]);
  return { preload, api };
}
