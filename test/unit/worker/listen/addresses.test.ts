import { describe, expect, it } from 'vitest';
import {
  canShare,
  covers,
  isEverywhere,
  isNarrowerThan,
  isWiderThan,
  matches,
  writeAddress,
} from '../../../../src/worker/listen/addresses.ts';

const listener = (host: string): Parameters<typeof matches>[0] => ({
  name: 'web',
  type: 'tcp',
  fd: 3,
  port: 80,
  backlog: 1,
  host,
});

describe('a listen means the declared listener', () => {
  it.each<[string, string | null, number, boolean]>([
    ['127.0.0.1', null, 80, true],
    ['127.0.0.1', '0.0.0.0', 80, true],
    ['127.0.0.1', '::', 80, true],
    ['127.0.0.1', 'localhost', 80, true],
    ['127.0.0.1', '::1', 80, true],
    ['127.0.0.1', '127.0.0.1', 81, false],
    ['127.0.0.1', '10.0.0.1', 80, false],
    ['10.0.0.1', '10.0.0.1', 80, true],
    ['10.0.0.1', 'localhost', 80, false],
    ['::', '10.0.0.1', 80, true],
    ['0.0.0.0', 'example.test', 80, true],
  ])('declared %s, asked for %s port %i: %s', (declared, host, port, expected) => {
    expect(matches(listener(declared), host, port)).toBe(expected);
  });
});

describe('a second server on a listener', () => {
  it('is fine for another address of the loopback only', () => {
    expect(canShare(['127.0.0.1'], '::1')).toBe(true);
    expect(canShare(['localhost', '127.0.0.1'], '::1')).toBe(true);
    expect(canShare(['127.0.0.1'], '127.0.0.1')).toBe(false);
    expect(canShare([null], '127.0.0.1')).toBe(false);
    expect(canShare(['127.0.0.1'], null)).toBe(false);
    expect(canShare(['::'], '::1')).toBe(false);
    expect(canShare(['127.0.0.1'], '127.0.0.2')).toBe(false);
    expect(canShare(['10.0.0.1'], '10.0.0.2')).toBe(false);
  });
});

it('writes an address as a URL would', () => {
  expect(writeAddress(null, 80)).toBe('*:80');
  expect(writeAddress('::1', 80)).toBe('[::1]:80');
  expect(writeAddress('127.0.0.1', 80)).toBe('127.0.0.1:80');
});

it('knows what is open to more than a server asked for, and to less', () => {
  expect(isEverywhere(null, false)).toBe(true);
  expect(isEverywhere('::', true)).toBe(false);
  expect(isEverywhere('0.0.0.0', false)).toBe(false);
  expect(isWiderThan(listener('::'), '0.0.0.0')).toBe(true);
  expect(isWiderThan(listener('::'), '127.0.0.1')).toBe(true);
  expect(isWiderThan(listener('::'), null)).toBe(false);
  expect(isWiderThan(listener('0.0.0.0'), '0.0.0.0')).toBe(false);
  expect(isNarrowerThan(listener('127.0.0.1'), null, false)).toBe(true);
  expect(isNarrowerThan(listener('0.0.0.0'), null, false)).toBe(true);
  expect(isNarrowerThan(listener('127.0.0.1'), '0.0.0.0', false)).toBe(true);
  expect(isNarrowerThan(listener('::'), null, false)).toBe(false);
  expect(isNarrowerThan(listener('127.0.0.1'), '127.0.0.1', false)).toBe(false);
});

it('knows which socket a connection would have come to', () => {
  expect(covers('0.0.0.0', '10.0.0.1')).toBe(true);
  expect(covers('::', '::1')).toBe(true);
  expect(covers('0.0.0.0', '::1')).toBe(false);
  expect(covers('127.0.0.1', '127.0.0.2')).toBe(false);
});
