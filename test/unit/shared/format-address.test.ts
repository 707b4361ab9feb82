import { expect, test } from 'vitest';
import { formatAddress, formatUrl } from '../../../src/shared/format-address.ts';

test('the address of a listener is one that a terminal makes a link of, and that works here', () => {
  expect([
    formatUrl('127.0.0.1', 80),
    formatUrl('::1', 80),
    formatUrl('::', 80),
    formatUrl('0.0.0.0', 80),
  ]).toEqual([
    'http://127.0.0.1:80',
    'http://[::1]:80',
    'http://localhost:80 (and every other address of this machine)',
    'http://localhost:80 (and every other IPv4 address of this machine)',
  ]);
});

test('an IPv6 address is written so that its port can be told', () => {
  expect([formatAddress('::1', 80), formatAddress('127.0.0.1', 80)]).toEqual(['[::1]:80', '127.0.0.1:80']);
});
