// schema.json in an editor: taplo is the language server behind the TOML extensions of editors.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/run-master.ts';

const root = new URL('../..', import.meta.url).pathname;

/** Resolves to whether taplo finds nothing wrong. */
async function isGood(content: string): Promise<boolean> {
  const file = join(temporaryFolder(), 'graceful.toml');
  writeFileSync(file, content);
  const taplo = join(root, 'node_modules/.bin/taplo');
  return new Promise((resolve) => {
    execFile(taplo, ['check', '--no-auto-config', '--schema', `file://${root}schema.json`, file], (error) => {
      resolve(error === null);
    });
  });
}

// WebAssembly, compiled at each start.
test('taplo checks TOML files by schema.json', { timeout: 180_000 }, async () => {
  const shop = '[program.shop]\ncommand = ["node", "app.js"]\n';
  expect(await isGood(`${shop}port = 3000\n`)).toBe(true);
  expect(await isGood(`${shop}port = 70000\n`)).toBe(false);
  expect(await isGood(`${shop}port = 3000\nprot = 1\n`)).toBe(false);
  expect(await isGood(shop)).toBe(false);
  expect(await isGood(`${shop}type = "worker"\n`)).toBe(true);
});
