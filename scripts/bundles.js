// The bundles of dist/, made by esbuild. Why bundles, and which format: docs/adr/0002-bundles.md.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { workerBundles } from './worker-bundles.js';

const root = new URL('..', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

// Development dependencies that src/ imports are compiled in: croner, fast-string-width, yargs-parser, zod, and the parsers of config files.
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
// Without spaces and comments. Names stay, for stacks that are reported.
const shortened = { minifyWhitespace: true, minifySyntax: true };
const commonJs = {
  ...common,
  format: 'cjs',
  // import() becomes require(): the first import() in a process loads the ES module loader, which costs memory.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

/**
 * Bundles everything, and returns the paths of the files that were compiled in, relative to the root. With `write: false` nothing is written.
 *
 * @param {{ readonly write: boolean }} options
 * @returns {Promise<readonly string[]>}
 */
export async function bundle({ write }) {
  const results = await Promise.all([
    build({
      write,
      ...common,
      format: 'esm',
      splitting: true,
      outdir: 'dist',
      outbase: 'src',
      chunkNames: 'chunks/[name]-[hash]',
      entryPoints: [
        'src/master/index.ts',
        'src/worker/index.ts',
        'src/worker/ws/index.ts',
        'src/client/index.ts',
      ],
    }),
    // The master as a process: one CommonJS file, for the sake of its memory. V8 keeps the source: without spaces and comments it is shorter. All of
    // it is ASCII, because a single other character would double its size.
    build({
      write,
      ...commonJs,
      ...shortened,
      outfile: 'dist/master/main.cjs',
      entryPoints: ['src/master/cli/main.ts'],
    }),
    // gracefulctl: one CommonJS file, which starts sooner than ES modules.
    build({
      write,
      ...commonJs,
      ...shortened,
      outfile: 'dist/ctl/main.cjs',
      entryPoints: ['src/ctl/main.ts'],
    }),
    // The process that reads a config file. It is an ES module because of its top-level await.
    build({
      write,
      ...common,
      format: 'esm',
      // Each parser is a file of its own.
      splitting: true,
      ...shortened,
      // Uses the ES modules of libraries: esbuild cannot follow what a UMD module requires.
      mainFields: ['module', 'main'],
      // The parser of YAML is CommonJS, and requires modules of Node.js.
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      outdir: 'dist/master',
      chunkNames: 'read-plan/[name]-[hash]',
      entryPoints: { 'read-plan': 'src/master/config/read-plan-main.ts' },
    }),
    // The process that becomes a worker if a shell cannot start it.
    build({
      write,
      ...commonJs,
      outfile: 'dist/master/trampoline.cjs',
      entryPoints: ['src/master/launch/trampoline-main.ts'],
    }),
    ...workerBundles.map((options) =>
      build({
        write,
        ...common,
        ...options,
        // Minified because every worker boots through them: half a millisecond less to read and to parse.
        minify: true,
        outdir: 'dist/worker',
      }),
    ),
  ]);
  return results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
}
