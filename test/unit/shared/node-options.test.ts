import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  preloadArguments,
  withoutPreload,
  withoutPreloadArguments,
  withPreload,
} from '../../../src/shared/node-options.ts';

describe('NODE_OPTIONS', () => {
  it('holds the preload behind what was there, quoted as Node.js reads it', () => {
    expect(withPreload(undefined, '/a/b.cjs')).toBe('--require "/a/b.cjs"');
    expect(withPreload('--no-warnings', '/a b/"c\\d.cjs')).toBe(
      '--no-warnings --require "/a b/\\"c\\\\d.cjs"',
    );
  });

  it('is what it was before once the preload is taken out', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (before, path) => {
        expect(withoutPreload(withPreload(before, path), path)).toBe(before);
      }),
    );
  });

  it('keeps what others have put behind the preload, and what is not ours', () => {
    expect(withoutPreload('--one --require "/p" --two', '/p')).toBe('--one --two');
    expect(withoutPreload('--require "/p" --two', '/p')).toBe('--two');
    expect(withoutPreload('--require "/p"x --one', '/p')).toBe('--require "/p"x --one');
    expect(withoutPreload('', '/p')).toBe('');
  });

  it('is left as it was also where the preload came with its permission', () => {
    expect(withoutPreload(withPreload('--permission', '/a/b.cjs', true), '/a/b.cjs')).toBe('--permission');
  });
});

it('is taken out of the command line again, and nothing else is', () => {
  const own = preloadArguments('/a/b.cjs', true);
  expect(withoutPreloadArguments(['--no-warnings', ...own, '--require', '/a/c.cjs'], '/a/b.cjs')).toEqual([
    '--no-warnings',
    '--require',
    '/a/c.cjs',
  ]);
});
