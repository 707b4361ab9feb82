import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LineFormat } from '../../../../src/master/config/options/output-options.ts';
import { escapeSequences } from '../../../../src/master/output/escape-worker-line.ts';
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

test('a line that JSON has to escape is what was written, also beside lines that it has not', () => {
  const lines = [
    'plain',
    '{"level":30,"msg":"a \\"b\\""}',
    '\t\b\f\u0001\u001F\u007F',
    'C:\\logs',
    '',
    'ende',
  ];
  const out = formatted(`${lines.join('\n')}\n`, { isJson: true });
  expect(
    out
      .split('\n')
      .slice(0, -1)
      .map((one) => (JSON.parse(one) as { line: string }).line),
  ).toEqual(lines);
});

test('bytes that are not UTF-8 are replaced in JSON, and characters stay', () => {
  const bytes = Buffer.from('caf\u00C3\u00A9 \u00FF \u00E2\u0082\n', 'latin1');
  const json = Buffer.from(formatLines(bytes, { ...plain, isJson: true }, origin, time, false)).toString();
  expect(JSON.parse(json)).toMatchObject({ line: 'caf\u00E9 \uFFFD \uFFFD' });
});

test('the end of a line whose beginning was written as an object is no object', () => {
  expect(formatted('\n', { isJson: true }, true)).toBe('');
  expect(formatted('rest\n', { isJson: true }, true)).toContain('"line":"rest"');
  expect(formatted('\n', { isJson: true }, false)).toContain('"line":""');
});

test('any bytes come out as strings of lines would', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  // Many of those that matter.
  const special = fc.array(fc.constantFrom(10, 13, 27, 34, 92, 91, 109, 0, 97, 195, 169), { maxLength: 60 });
  fc.assert(
    fc.property(fc.oneof(bytes, special), fc.boolean(), fc.boolean(), (numbers, isContinued, stripsAnsi) => {
      const input = Uint8Array.from(numbers);
      const asText = (format: Partial<LineFormat>): Buffer =>
        Buffer.from(formatLines(input, { ...plain, stripsAnsi, ...format }, origin, time, isContinued));
      const latin1 = Buffer.from(input).toString('latin1');
      const text = stripsAnsi ? latin1.replaceAll(escapeSequences, '') : latin1;
      const isEnded = text.endsWith('\n');
      const lines = text === '' ? [] : (isEnded ? text.slice(0, -1) : text).split('\n');
      const timed = lines.map((line, at) => (at === 0 && isContinued ? line : `${time} ${line}`)).join('\n');
      expect(asText({ hasTimestamps: true }).toString('latin1')).toBe(isEnded ? `${timed}\n` : timed);
      const objects = Buffer.from(text, 'latin1')
        .toString()
        .split('\n')
        .slice(0, lines.length)
        .map((line) => line.replace(/\r$/, ''))
        .flatMap((line, at) => (at === 0 && isContinued && line === '' ? [] : [{ time, ...origin, line }]));
      expect(asText({ isJson: true }).toString()).toBe(
        objects.map((object) => `${JSON.stringify(object)}\n`).join(''),
      );
    }),
  );
});
