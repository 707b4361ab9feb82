import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configFileNames, findConfig } from '../../../../src/master/config/find-config.ts';

function folderWith(...names: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'gr-find-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const name of names) writeFileSync(join(folder, name), '');
  return folder;
}

test.each(configFileNames)('%s is found', (name) => {
  const folder = folderWith(name, 'other.toml');
  expect(findConfig(folder)).toBe(join(folder, name));
});

test('a folder without one', () => {
  expect(findConfig(folderWith('graceful.ini', 'shop.toml'))).toBeNull();
});

test('two of them are an error that names both', () => {
  expect(() => findConfig(folderWith('graceful.yml', 'graceful.json'))).toThrow(
    /graceful\.yml.*graceful\.json/,
  );
});
