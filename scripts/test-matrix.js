// `npm run test:matrix`: the integration tests on Node.js 20, 22, 24 and 26. The npm package `node` carries the
// binaries; they are installed into .matrix/, outside the project's own dependencies.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url).pathname;
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24', '26'];
const failed = [];

for (const version of versions) {
  const home = `${root}.matrix/node-${version}`;
  const binary = `${home}/node_modules/node/bin/node`;
  if (!existsSync(binary)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(`${home}/package.json`, '{ "private": true }\n');
    run('npm', ['install', '--no-audit', '--no-fund', '--silent', `node@${version}`], home, process.env);
  }
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  console.log(`\n== Node.js ${stdout.trim()}`);
  // The binary comes first in the PATH, too, so that `node` in a test's command is the same one.
  const environment = { ...process.env, PATH: `${home}/node_modules/node/bin:${process.env.PATH}` };
  const status = run(
    binary,
    ['node_modules/vitest/vitest.mjs', 'run', 'test/integration', 'test/faults'],
    root,
    environment,
  );
  if (status !== 0) failed.push(stdout.trim());
}
if (failed.length > 0) {
  console.error(`\nfailed on ${failed.join(', ')}`);
  process.exit(1);
}

function run(command, args, cwd, env) {
  return spawnSync(command, args, { cwd, env, stdio: 'inherit' }).status;
}
