// Builds dist/: types by tsc, code by esbuild. Why bundles, and which format: docs/adr/0002-bundles.md.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { workerBundles } from './worker-bundles.js';

const root = new URL('..', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
rmSync(`${root}dist`, { recursive: true, force: true });

// What is a development dependency is compiled in: zod, pino, yargs-parser.
const external = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
  external,
};
const commonJs = {
  ...common,
  format: 'cjs',
  // import() becomes require(): the first import() in a process loads the ES module loader, which costs memory.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

const results = await Promise.all([
  build({
    ...common,
    format: 'esm',
    splitting: true,
    outdir: 'dist',
    outbase: 'src',
    chunkNames: 'chunks/[name]-[hash]',
    entryPoints: ['src/master/index.ts', 'src/worker/index.ts', 'src/worker/ws/index.ts', 'src/ctl/main.ts'],
  }),
  // The master as a process: one CommonJS file, for the sake of its memory.
  build({
    ...commonJs,
    outfile: 'dist/master/main.cjs',
    entryPoints: ['src/master/cli/main.ts'],
  }),
  // What becomes a worker that a shell cannot start.
  build({
    ...commonJs,
    outfile: 'dist/master/trampoline.cjs',
    entryPoints: ['src/master/launch/trampoline-main.ts'],
  }),
  build({
    ...common,
    ...workerBundles,
    // Every worker boots through it: half a millisecond less to read and to parse.
    minify: true,
    outdir: 'dist/worker',
  }),
]);
cpSync(`${root}src/master/process/after-master.sh`, `${root}dist/master/after-master.sh`);
cpSync(`${root}src/worker/shim`, `${root}dist/worker/shim`, { recursive: true });
chmodSync(`${root}dist/worker/shim/node`, 0o755);
writeFileSync(
  `${root}dist/third-party-licenses.txt`,
  licensesOf(results.flatMap(({ metafile }) => Object.keys(metafile.inputs))),
);
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });

/** The licences of the packages whose files were compiled in, as they ask for it. */
function licensesOf(files) {
  const homes = files.flatMap((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  const texts = [...new Set(homes)].sort().map((home) => {
    const license = readdirSync(root + home).find((name) => /^licen[cs]e/i.test(name));
    if (license === undefined) throw new Error(`${home} has no licence file`);
    return `${home.replace('node_modules/', '')}\n\n${readFileSync(`${root}${home}/${license}`, 'utf8').trim()}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}
