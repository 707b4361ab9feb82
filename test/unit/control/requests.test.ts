import { expect, test } from 'vitest';
import { parseMasterPid, parseWaitable } from '../../../src/master/control/requests.ts';

test.each([
  ['', {}],
  ['{}', {}],
  ['{"wait":true}', { wait: true }],
  [' {"wait":false}\n', { wait: false }],
])('%j is a request', (body, request) => {
  expect(parseWaitable(body)).toEqual({ request });
});

test.each([
  '{',
  'null',
  '1',
  '"wait"',
  '[]',
  '{"wait":1}',
  '{"wait":null}',
  '{"later":true}',
  '{"__proto__":1}',
])('%j is refused, and the refusal says why', (body) => {
  expect(parseWaitable(body)).toEqual({ problem: expect.stringMatching(/.{5}/) as unknown });
});

test('the pid of another master is taken from its status, and from nothing else', () => {
  expect(parseMasterPid('{"master":{"pid":12,"version":"9"}}')).toBe(12);
  for (const body of ['', 'hello', '{}', '{"master":{"pid":"12"}}', 'null'])
    expect(parseMasterPid(body)).toBe(null);
});
