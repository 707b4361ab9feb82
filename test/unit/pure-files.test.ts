import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

const { pureFiles } = createRequire(import.meta.url)('../../scripts/pure-files.cjs') as {
  readonly pureFiles: readonly string[];
};
const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/${file}`);
const isListed = (file: string): boolean => pureFiles.some((pattern) => new RegExp(pattern).test(file));

/** The paths that a pattern with groups of alternatives stands for. */
function pathsOf(pattern: string): readonly string[] {
  const [group, words] = /\(([^()]*)\)/.exec(pattern) ?? [];
  if (group === undefined || words === undefined) return [pattern.replace(/[\^$\\]/g, '')];
  return words.split('|').flatMap((word) => pathsOf(pattern.replace(group, word)));
}

test('lint keeps every file pure that says in its first comment that it is', () => {
  const saysSo = files.filter((file) =>
    /\bPure\b/.test(/^\/\*\*[^]*?\*\//.exec(readFileSync(file, 'utf8'))?.[0] ?? ''),
  );
  expect(saysSo.length).toBeGreaterThan(90);
  expect(saysSo.filter((file) => !isListed(file))).toEqual([]);
});

test('every file that lint is to keep pure exists', () => {
  const paths = pureFiles.flatMap(pathsOf);
  expect(paths.length).toBeGreaterThan(90);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});
