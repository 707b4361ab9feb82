// `node_modules/.bin/next` is a symlink: Node.js resolves it, and the program finds the files beside the real one.
import { cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';

const project = new URL('../..', import.meta.url).pathname;

/** Copies the built package, as an installation would; returns its main program. */
function install(folder: string): string {
  for (const part of ['package.json', 'bin', 'dist'])
    cpSync(join(project, part), join(folder, part), { recursive: true });
  symlinkSync(realpathSync(join(project, 'node_modules')), join(folder, 'node_modules'));
  return join(folder, 'bin', 'graceful-run.cjs');
}

test('a program started through a symlink finds its own files if graceful-run is installed in the same tree', async () => {
  const folder = realpathSync(temporaryFolder());
  mkdirSync(join(folder, 'package'));
  const installed = install(join(folder, 'package'));
  mkdirSync(join(folder, 'real'));
  writeFileSync(join(folder, 'real', 'greeting.cjs'), `module.exports = 'found';`);
  writeFileSync(
    join(folder, 'real', 'app.cjs'),
    `const greeting = require('./greeting.cjs');
    require('node:http').createServer((_, response) => response.end(greeting)).listen(process.env.PORT);`,
  );
  symlinkSync('real/app.cjs', join(folder, 'app'));
  const master = runMaster({
    command: [process.execPath, join(folder, 'app')],
    // In place of the words `node bin/graceful-run.cjs` of this working tree.
    through: ['sh', '-c', `node=$1; shift 2; exec "$node" '${installed}' "$@"`, 'sh'],
  });
  const port = await master.serving();
  expect((await get(port)).body).toBe('found');
});
