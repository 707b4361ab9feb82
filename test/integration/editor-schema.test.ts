// schema.json in an editor: taplo is the language server behind the TOML extensions of editors.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/run-master.ts';

const root = new URL('../..', import.meta.url).pathname;

const shop = '[program.shop]\ncommand = ["node", "app.js"]\n';
const good: Readonly<Record<string, string>> = {
  'port.toml': `${shop}port = 3000\n`,
  'worker.toml': `${shop}type = "worker"\n`,
};
const bad: Readonly<Record<string, string>> = {
  'port-too-high.toml': `${shop}port = 70000\n`,
  'unknown-key.toml': `${shop}port = 3000\nprot = 1\n`,
  'no-address.toml': shop,
};

// One run for all files: taplo is WebAssembly, which is compiled at each start.
test(
  'taplo finds what schema.json does not allow in TOML files, and nothing else',
  { timeout: 180_000 },
  () => {
    const folder = temporaryFolder();
    const files = Object.entries({ ...good, ...bad }).map(([name, content]) => {
      const file = join(folder, name);
      writeFileSync(file, content);
      return file;
    });
    const taplo = join(root, 'node_modules/.bin/taplo');
    const args = ['check', '--no-auto-config', '--schema', `file://${root}schema.json`, ...files];
    const { status, stderr } = spawnSync(taplo, args, { encoding: 'utf8' });
    expect(status).not.toBe(0);
    const lines = stripVTControlCharacters(stderr).matchAll(/invalid file.*path="([^"]+)"/g);
    expect([...lines].map(([, path = '']) => basename(path))).toEqual(Object.keys(bad));
  },
);
