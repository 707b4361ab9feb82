// The package managers and runtimes of test/integration/launchers.test.ts, installed into .matrix/launchers, outside the project's own
// dependencies: they are large. Their install scripts are not run: the binaries are packages of their own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../.matrix/launchers', import.meta.url).pathname;
const platform = `${process.platform}-${process.arch}`;
const dependencies = {
  yarn: '1.22.22',
  '@yarnpkg/cli-dist': '4.18.1',
  pnpm: '12.21.0',
  'pnpm-10': 'npm:pnpm@10.34.8',
  bun: '1.4.5',
  deno: '2.9.6',
  // The npm package `node` contains the binary, which is used for `node --run`.
  [`node-${platform}`]: '22.23.3',
};

const file = `${folder}/package.json`;
const wanted = `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`;
const isThere =
  existsSync(`${folder}/node_modules`) && existsSync(file) && readFileSync(file, 'utf8') === wanted;
if (!isThere) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, wanted);
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  const { status } = spawnSync('npm', ['install', ...options], { cwd: folder, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
