import { expect, test } from 'vitest';
import { parseNameHolder, parseRequest, waitOf } from '../../../../src/master/control/read-request.ts';
import {
  reloadRequest,
  scaleRequest,
  stopRequest,
  updateRequest,
} from '../../../../src/shared/schemas/request-schemas.ts';

test.each([
  ['', {}],
  ['{}', {}],
  ['{"wait":true}', { wait: true }],
  [' {"wait":false}\n', { wait: false }],
])('%j is a request to reload, and one to stop', (body, request) => {
  expect(parseRequest(reloadRequest, body)).toEqual({ request });
  expect(parseRequest(stopRequest, body)).toEqual({ request });
});

test.each([
  '{',
  'null',
  '1',
  '"wait"',
  '[]',
  '{"wait":1}',
  '{"wait":null}',
  '{"wait":"yes"}',
  '{"later":true}',
  '{"__proto__":1}',
])('%j is refused, and the refusal says why', (body) => {
  const problem = expect.stringMatching(/.{5}/) as unknown;
  expect(parseRequest(reloadRequest, body)).toEqual({ problem });
  expect(parseRequest(stopRequest, body)).toEqual({ problem });
  expect(parseRequest(scaleRequest, body)).toEqual({ problem });
});

test.each([
  [{}, null],
  [{ wait: false }, null],
  [{ wait: true }, 'serving'],
  [{ wait: 'serving' }, 'serving'],
  [{ wait: 'drained' }, 'drained'],
])('a reload with %j waits for %j', (request, wait) => {
  expect(parseRequest(reloadRequest, JSON.stringify(request))).toEqual({ request });
  expect(waitOf(request as Parameters<typeof waitOf>[0])).toBe(wait);
});

test.each([
  ['', {}],
  ['{"dryRun":true}', { dryRun: true }],
  ['{"dryRun":false}', { dryRun: false }],
])('%j is a request to update', (body, request) => {
  expect(parseRequest(updateRequest, body)).toEqual({ request });
});

test.each(['[]', '{"dryRun":1}', '{"dry_run":true}', '{"wait":true}'])(
  '%j is no request to update',
  (body) => {
    expect(parseRequest(updateRequest, body)).toEqual({ problem: expect.stringMatching(/.{5}/) as unknown });
  },
);

test.each([0, -1, 1.5, 1_025, '3', null])('%j is no number of workers', (workers) => {
  expect(parseRequest(scaleRequest, JSON.stringify({ workers }))).toEqual({
    problem: expect.stringContaining('1 to 1024') as unknown,
  });
});

test('what another master is doing is taken from its status, and from nothing else', () => {
  const body = (state: string): string => `{"state":"${state}","master":{"pid":12,"version":"9"}}`;
  expect(parseNameHolder(body('serving'))).toEqual({ pid: 12, isStopping: false });
  expect(parseNameHolder(body('stopping'))).toEqual({ pid: 12, isStopping: true });
  for (const other of ['', 'hello', '{}', '{"master":{"pid":"12"}}', 'null'])
    expect(parseNameHolder(other)).toBe(null);
});
