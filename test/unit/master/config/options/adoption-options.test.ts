import { expect, test } from 'vitest';
import { compileProgram, type ProgramOptions } from '../../../../../src/master/config/options.ts';

const command = ['nginx'];

function compile(options: Partial<ProgramOptions>) {
  return compileProgram('web', { command, type: 'worker', ...options }, '/srv');
}

test('a pid file is an absolute path in the plan, with the time that it may name none, and the workers do not overlap', () => {
  expect(compile({}).kind).toMatchObject({ pidFile: null, overlaps: true });
  expect(compile({ adoptPidFile: 'run/web.pid' }).kind).toMatchObject({
    pidFile: { path: '/srv/run/web.pid', graceMs: 2_000 },
    overlaps: false,
  });
  expect(compile({ adoptPidFile: '/run/web.pid', adoptGrace: '1m', overlap: false }).kind.pidFile).toEqual({
    path: '/run/web.pid',
    graceMs: 60_000,
  });
});

test.each([
  [{ adoptPidFile: '/run/web.pid', type: 'server', port: 3000 }, /only for programs without an address/],
  [{ adoptPidFile: '/run/web.pid', type: 'oneshot' }, /only for programs without an address/],
  [{ adoptPidFile: '/run/web.pid', workers: 2 }, /must be 1/],
  [{ adoptPidFile: '/run/web.pid', workers: 'auto' }, /must be 1/],
  [{ adoptPidFile: '/run/web.pid', overlap: true }, /must be false/],
  [{ adoptPidFile: '/run/web.pid', maxMemory: '1GB' }, /does not fit/],
  [{ adoptPidFile: '' }, /must be a file/],
  [{ adoptGrace: '5s' }, /no effect without a pid file/],
  [{ adoptPidFile: '/run/web.pid', adoptGrace: '25h' }, /must be a duration/],
] as const)('%j is refused', (options, message) => {
  expect(() => compile(options)).toThrow(message);
});
