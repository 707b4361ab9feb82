import { expect, test } from 'vitest';
import { compileProgram } from '../../../../../src/master/config/options.ts';
import type { ProgramOptions } from '../../../../../src/master/config/options.ts';

const command = ['node', 'server.js'];

function planOf(options: Partial<ProgramOptions>) {
  return compileProgram('web', { command, port: 3000, ...options }, '/srv').replacement;
}

test('limits are bytes, ms and requests in the plan, and there are none by default', () => {
  expect(planOf({})).toEqual({
    maxMemoryBytes: null,
    maxLifetimeMs: null,
    maxRequests: null,
    watchdogMs: null,
    intervalMs: 10_000,
  });
  expect(
    planOf({
      maxMemory: '1.5GB',
      maxLifetime: '36h',
      maxRequests: 100_000,
      watchdog: '30s',
      replaceInterval: '0s',
    }),
  ).toEqual({
    maxMemoryBytes: 1.5 * 1024 ** 3,
    maxLifetimeMs: 36 * 3_600_000,
    maxRequests: 100_000,
    watchdogMs: 30_000,
    intervalMs: 0,
  });
});

test.each([
  [{ maxMemory: '100' }],
  [{ maxMemory: '512 megabytes' }],
  [{ maxLifetime: '500ms' }],
  // Longer than a timer of Node.js can be.
  [{ maxLifetime: '600h' }],
  [{ maxRequests: 0 }],
  [{ maxRequests: 1.5 }],
  [{ watchdog: '500ms' }],
  [{ watchdog: 'on' }],
  [{ replaceInterval: '25h' }],
] as const)('%j is refused', (options) => {
  expect(() => planOf(options)).toThrow(expect.objectContaining({ code: 'badOption' }));
});

test('programs whose workers do not overlap, or end by themselves, have no limits', () => {
  for (const options of [
    { type: 'worker', overlap: false, maxLifetime: '1h' },
    { type: 'oneshot', maxMemory: '100MB' },
    { type: 'worker', maxRequests: 10 },
  ] as const)
    expect(() => compileProgram('job', { command, ...options }, '/srv')).toThrow(
      expect.objectContaining({ code: 'badOption' }),
    );
  expect(
    compileProgram('job', { command, type: 'worker', maxLifetime: '1h' }, '/srv').replacement,
  ).toMatchObject({ maxLifetimeMs: 3_600_000 });
});
