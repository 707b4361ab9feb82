import { expect, test } from 'vitest';
import { hangupMs, readHangup, type Terminal } from '../../../../src/master/cli/hangup.ts';

const job: Terminal = { wasStartedInOne: true, isThere: true, shell: 'runs' };

test('without a terminal at its start, a hangup is a reload whatever has become of any', () => {
  expect(readHangup({ ...job, wasStartedInOne: false, isThere: false, shell: 'unknown' }, 0)).toBe('reload');
});

test('while the shell runs in its terminal, it waits whether either ends, and reloads if they do not', () => {
  expect(readHangup(job, 0)).toBe('wait');
  expect(readHangup(job, hangupMs - 1)).toBe('wait');
  expect(readHangup(job, hangupMs)).toBe('reload');
});

test('a terminal that is gone while its shell still runs is being closed', () => {
  expect(readHangup({ ...job, isThere: false }, 0)).toBe('stop');
});

test('a shell that ends after the signal, or just before it, has sent it because it ends', () => {
  const gone = (endedMs: number): Terminal => ({ ...job, isThere: false, shell: { endedMs } });
  expect(readHangup(gone(0), 100)).toBe('stop');
  expect(readHangup(gone(hangupMs), 0)).toBe('stop');
});

test('a shell that ended long before the signal has nothing to do with it', () => {
  const left: Terminal = { ...job, isThere: false, shell: { endedMs: hangupMs + 1 } };
  expect(readHangup(left, 0)).toBe('reload');
});

test('the first process of its session is told of the end of a terminal after that end, so nothing is waited for', () => {
  expect(readHangup({ ...job, shell: 'self' }, 0)).toBe('reload');
  expect(readHangup({ ...job, isThere: false, shell: 'self' }, 0)).toBe('stop');
});
