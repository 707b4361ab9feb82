import { expect, test } from 'vitest';
import {
  metricsProblem,
  parseMetricsAddress,
} from '../../../../../src/master/config/options/metrics-options.ts';

test.each([
  ['127.0.0.1:9100', { host: '127.0.0.1', port: 9_100 }],
  ['[::1]:9100', { host: '::1', port: 9_100 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['9100', null],
  ['unix:/run/metrics.sock', null],
  ['udp:127.0.0.1:9100', null],
  ['name=127.0.0.1:9100', null],
  ['127.0.0.1:99999', null],
])('the address %s', (written, expected) => {
  expect(parseMetricsAddress(written)).toEqual(expected);
});

test.each([
  [{}, null],
  [{ address: 'a:1', token: 'x', cert: 'c', key: 'k' }, null],
  [{ token: 'x' }, 'token'],
  [{ address: 'a:1', cert: 'c' }, 'cert'],
  [{ address: 'a:1', key: 'k' }, 'key'],
] as const)('%j: the key that has no meaning is named', (given, expected) => {
  expect(metricsProblem(given)?.key ?? null).toBe(expected);
});
