// Builds dist/: types by tsc, code by esbuild. Why bundles: docs/adr/0002-bundles.md.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
rmSync(`${root}dist`, { recursive: true, force: true });

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  // Everything stays a dependency but zod: whole, it costs the master 11 MB; tree-shaken, half of one.
  external: ['koffi', 'pino', 'pino-pretty', 'yargs', 'yargs-parser', 'chokidar', 'http-terminator'],
};

await Promise.all([
  build({
    ...common,
    format: 'esm',
    splitting: true,
    outdir: 'dist',
    outbase: 'src',
    chunkNames: 'chunks/[name]-[hash]',
    entryPoints: ['src/master/index.ts', 'src/master/cli/main.ts', 'src/worker/index.ts', 'src/ctl/main.ts'],
  }),
  // CommonJS: with --require, Node loads the application's own entry exactly as it would without us.
  build({
    ...common,
    format: 'cjs',
    outfile: 'dist/worker/preload.cjs',
    entryPoints: ['src/worker/preload.ts'],
  }),
]);
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
