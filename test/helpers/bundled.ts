/** A TypeScript file of the tests that a process of its own runs: compiled once for a test file, because tsx compiles everything that it imports anew in each process. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import manifest from '../../package.json' with { type: 'json' };

const root = new URL('../..', import.meta.url).pathname;
/** Within the package, whose name the master's code resolves. */
const parent = join(root, '.matrix');

const known = new Map<string, Promise<string>>();

/** The path of the compiled file. */
export function bundled(path: string): Promise<string> {
  const made = known.get(path) ?? compile(path);
  known.set(path, made);
  return made;
}

async function compile(path: string): Promise<string> {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'bundled-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const outfile = join(folder, `${basename(path, '.ts')}.mjs`);
  await build({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    external: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    banner: {
      js: "import { createRequire as from } from 'node:module'; const require = from(import.meta.url);",
    },
    logLevel: 'warning',
    entryPoints: [path],
    outfile,
  });
  return outfile;
}
