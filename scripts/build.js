// Builds dist/: types by TypeScript 7 (docs/adr/0049-typescript-7.md), code by esbuild (bundles.js).
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { bundle } from './bundles.js';

const root = new URL('..', import.meta.url).pathname;
rmSync(`${root}dist`, { recursive: true, force: true });
await bundle({ write: true });
cpSync(`${root}src/master/process/after-master.sh`, `${root}dist/master/after-master.sh`);
cpSync(`${root}src/worker/shim`, `${root}dist/worker/shim`, { recursive: true });
chmodSync(`${root}dist/worker/shim/node`, 0o755);
execFileSync(process.execPath, ['node_modules/typescript-native/bin/tsc', '-p', 'tsconfig.types.json'], {
  cwd: root,
  stdio: 'inherit',
});
