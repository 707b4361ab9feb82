import { expect, test } from 'vitest';
import { forwardWholeLines } from '../../../src/master/shell/whole-lines.ts';

function forwarded(...texts: readonly string[]): { texts: string[]; end: () => void } {
  const passedOn: string[] = [];
  const lines = forwardWholeLines((text) => passedOn.push(text));
  for (const text of texts) lines.add(text);
  return {
    texts: passedOn,
    end: () => {
      lines.end();
    },
  };
}

test('whole lines are passed on as they are', () => {
  expect(forwarded('one\ntwo\n', '\n').texts).toEqual(['one\ntwo\n', '\n']);
});

test('a line that has only begun is held until its end comes', () => {
  expect(forwarded('one\ntw', 'o', '\nthree').texts).toEqual(['one\n', 'two\n']);
});

test('what has no end is passed on with one when nothing more comes, once', () => {
  const { texts, end } = forwarded('one');
  end();
  end();
  expect(texts).toEqual(['one\n']);
});

test('a line without an end is not held without bound', () => {
  const long = 'x'.repeat(64 * 1024 + 1);
  expect(forwarded(long, 'y').texts).toEqual([`${long}\n`]);
});
