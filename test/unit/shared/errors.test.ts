import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes } from '../../../src/shared/errors.ts';
import { version } from '../../../src/shared/version.ts';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('every error code has its paragraph in docs/errors.md, and every paragraph its code', () => {
  const paragraphs = [...read('docs/errors.md').matchAll(/^## (\w+)\n\S/gm)].map(([, code]) => code);
  expect(paragraphs.sort()).toEqual([...errorCodes].sort());
});

test('the version in the code is that of the package', () => {
  expect(read('package.json')).toContain(`"version": "${version}"`);
});
