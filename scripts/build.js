// Builds dist/: types by tsc, code by esbuild (bundles.js).
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { bundle } from './bundles.js';

const root = new URL('..', import.meta.url).pathname;
rmSync(`${root}dist`, { recursive: true, force: true });
await bundle({ write: true });
cpSync(`${root}src/master/process/after-master.sh`, `${root}dist/master/after-master.sh`);
cpSync(`${root}src/worker/shim`, `${root}dist/worker/shim`, { recursive: true });
chmodSync(`${root}dist/worker/shim/node`, 0o755);
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
