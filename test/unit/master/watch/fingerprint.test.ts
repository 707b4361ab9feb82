import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, type Content } from '../../../../src/master/watch/fingerprint.ts';

function content(entries: Readonly<Record<string, string>>, more: Partial<Content> = {}): Content {
  return {
    kind: 'content',
    realpath: '/app',
    entries: new Map(Object.entries(entries)),
    unknown: [],
    ...more,
  };
}

describe('a fingerprint', () => {
  const before = content({ 'a.js': '1', 'lib/b.js': '2' });

  it.each<[string, Content, string | null]>([
    ['is no change when everything is the same', content({ 'lib/b.js': '2', 'a.js': '1' }), null],
    ['names a file with other content', content({ 'a.js': '1', 'lib/b.js': '3' }), 'lib/b.js'],
    ['names a new file', content({ 'a.js': '1', 'lib/b.js': '2', 'c.js': '3' }), 'c.js'],
    ['names a removed file', content({ 'a.js': '1' }), 'lib/b.js'],
    [
      'is a change when the path leads elsewhere',
      content({ 'a.js': '1', 'lib/b.js': '2' }, { realpath: '/other' }),
      '',
    ],
    ['is no change where nothing is known', content({ 'a.js': '1' }, { unknown: ['lib'] }), null],
    ['is no change when nothing is known at all', content({}, { unknown: [''] }), null],
    ['is a change beside what is unknown', content({ 'a.js': '9' }, { unknown: ['lib/b.js'] }), 'a.js'],
    [
      'takes an unknown name only for itself and what is below it',
      content({ 'a.js': '1' }, { unknown: ['li', 'lib/b'] }),
      'lib/b.js',
    ],
  ])('%s', (_title, next, changed) => {
    expect(judge(before, next).changed).toBe(changed);
  });

  it('keeps the baseline while there is nothing', () => {
    expect(judge(before, { kind: 'absent' })).toEqual({ baseline: before, changed: null });
  });

  it('remembers what is unknown, so that it is compared when it can be read again', () => {
    const { baseline } = judge(before, content({ 'a.js': '1' }, { unknown: ['lib'] }));
    expect(judge(baseline, content({ 'a.js': '1', 'lib/b.js': '2' })).changed).toBe(null);
    expect(judge(baseline, content({ 'a.js': '1', 'lib/b.js': '3' })).changed).toBe('lib/b.js');
  });

  it('is reported at most once: the new baseline equals what was judged', () => {
    const contents = fc
      .tuple(
        fc.dictionary(fc.constantFrom('', 'a', 'a/b', 'c'), fc.constantFrom('1', '2')),
        fc.constantFrom('/x', '/y'),
        fc.subarray(['', 'a', 'c']),
      )
      .map(([entries, realpath, unknown]) => content(entries, { realpath, unknown }));
    fc.assert(
      fc.property(contents, contents, (first, next) => {
        const { baseline } = judge(first, next);
        expect(judge(baseline, next).changed).toBe(null);
      }),
    );
  });
});
