import { expect, test } from 'vitest';
import type { LineFormat } from '../../../../src/master/config/output-options.ts';
import { formatLines } from '../../../../src/master/output/format-lines.ts';

const plain: LineFormat = { stripsAnsi: false, hasTimestamps: false, isJson: false };
const origin = { program: 'shop', generation: 3, slot: 0, worker: 4242, stream: 'stdout' } as const;
const time = '2026-11-26T16:00:00.000Z';

function formatted(text: string, format: Partial<LineFormat>, isContinued = false): string {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.from(formatLines(bytes, { ...plain, ...format }, origin, time, isContinued)).toString(
    'latin1',
  );
}

test('each line begins with the time', () => {
  expect(formatted('one\n\ntwo\n', { hasTimestamps: true })).toBe(`${time} one\n${time} \n${time} two\n`);
});

test('the rest of a line has no second time, and bytes that are not UTF-8 stay', () => {
  expect(formatted('\u00FFrest\nnext', { hasTimestamps: true }, true)).toBe(`\u00FFrest\n${time} next`);
});

test('colours and other sequences of terminals are removed', () => {
  expect(formatted('\u001B[31mred\u001B[0m and \u001B]0;title\u0007plain\n', { stripsAnsi: true })).toBe(
    'red and plain\n',
  );
});

test('each line is a JSON object with where it comes from', () => {
  const [line = '', rest] = formatted('say "hi"\r\n', { isJson: true }).split('\n');
  expect(JSON.parse(line)).toEqual({ time, ...origin, line: 'say "hi"' });
  expect(rest).toBe('');
});
