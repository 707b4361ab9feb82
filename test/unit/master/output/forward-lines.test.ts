import { expect, test } from 'vitest';
import { forwardWholeLines } from '../../../../src/master/output/forward-lines.ts';

/** What was passed on, and a clock that stands still until `wait` is called. */
function forwarder(): {
  texts: string[];
  add: (...texts: readonly string[]) => void;
  end: () => void;
  wait: () => void;
  armed: () => number;
} {
  const texts: string[] = [];
  const timers = new Set<() => void>();
  const lines = forwardWholeLines(
    (bytes) => texts.push(Buffer.from(bytes).toString('latin1')),
    (_delayMs, callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  );
  return {
    texts,
    add: (...pieces) => {
      for (const piece of pieces) lines.add(Buffer.from(piece, 'latin1'));
    },
    end: () => {
      lines.end();
    },
    wait: () => {
      for (const callback of [...timers]) {
        timers.delete(callback);
        callback();
      }
    },
    armed: () => timers.size,
  };
}

test('whole lines are passed on as they are, at once', () => {
  const { texts, add, armed } = forwarder();
  add('one\ntwo\n', '\n');
  expect(texts).toEqual(['one\ntwo\n', '\n']);
  expect(armed()).toBe(0);
});

test('bytes that are not UTF-8 stay what they are', () => {
  const { texts, add } = forwarder();
  add('caf\u00E9', '\u00FF\n');
  expect(texts).toEqual(['caf\u00E9\u00FF\n']);
});

test('the beginning of a line waits for its end, and is passed on as it is when that does not come for a while', () => {
  const { texts, add, wait, armed } = forwarder();
  add('one\ntw', 'o', '\nwaiting …'.slice(0, 8));
  expect(texts).toEqual(['one\n', 'two\n']);
  expect(armed()).toBe(1);
  wait();
  expect(texts.at(-1)).toBe('waiting');
  add(' done\n');
  expect(texts.at(-1)).toBe(' done\n');
  expect(armed()).toBe(0);
});

test('what has no end is passed on when nothing more comes, once', () => {
  const { texts, add, end, wait } = forwarder();
  add('one');
  end();
  end();
  wait();
  expect(texts).toEqual(['one']);
});

test('a long line is passed on whole, and one without an end is not held without bound', () => {
  const { texts, add } = forwarder();
  const long = 'x'.repeat(300_000);
  add(long, long, '\n');
  expect(texts).toEqual([`${long}${long}\n`]);
  add(...Array.from({ length: 8 }, () => long));
  expect(texts.length).toBeGreaterThan(1);
});

test('a long line is never cut within a character', () => {
  const pieces: string[] = [];
  const lines = forwardWholeLines((bytes) => pieces.push(Buffer.from(bytes).toString()), null);
  const long = 'aé€𝄞'.repeat(300_000);
  const bytes = Buffer.from(`${long}\n`);
  for (let at = 0; at < bytes.length; at += 65_537) lines.add(bytes.subarray(at, at + 65_537));
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.join('')).toBe(`${long}\n`);
});
