import { expect, test } from 'vitest';
import { compileOptions, type PlanOptions } from '../../../../src/master/config/options.ts';
import { GracefulRunError } from '../../../../src/shared/errors.ts';

/** What is wrong with the plan, by its error. */
function refusal(plan: unknown): GracefulRunError {
  try {
    compileOptions(plan as PlanOptions, '/srv');
  } catch (error) {
    if (error instanceof GracefulRunError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const on = (port: number, more: object = {}): object => ({ command: ['node', 'app.js'], port, ...more });

test('a plan in code that is wrong as a whole is refused with everything that is wrong with it, named as in code', () => {
  const error = refusal({
    name: 'many',
    programs: {
      shop: on(3000, { dependsOn: ['db', 'mial'] }),
      mail: on(3001, { dependsOn: ['news'] }),
      news: on(3002, { dependsOn: ['mail'] }),
      'db.old': { command: ['node', 'db.js'], listen: ['3003', '3000'] },
      twin: on(3001),
      idle: { command: ['node', 'idle.js'], listen: [] },
    },
  });
  expect(error.code).toBe('planInvalid');
  expect(error.problems.map(({ file, key }) => ({ file, key }))).toEqual([
    { file: null, key: 'programs.idle' },
    { file: null, key: 'programs["db.old"].listen[1]' },
    { file: null, key: 'programs.twin.port' },
    { file: null, key: 'programs.shop.dependsOn[0]' },
    { file: null, key: 'programs.shop.dependsOn[1]' },
    { file: null, key: 'programs.mail.dependsOn[0]' },
  ]);
  expect(error.problems[4]?.hint).toContain('mail');
});

test('a plan in code has a program', () => {
  expect(refusal({ programs: {} })).toMatchObject({
    code: 'planInvalid',
    problems: [{ file: null, key: null }],
  });
});

test('a plan of several programs has a name, and one of a single program need not', () => {
  expect(refusal({ programs: { a: on(3000), b: on(3001) } })).toMatchObject({
    code: 'badOption',
    message: expect.stringContaining('name is missing') as string,
  });
  expect(
    compileOptions({ programs: { a: on(3000) } } as unknown as PlanOptions, '/srv').programs,
  ).toHaveLength(1);
});

test.each([
  ['a value', { port: 99_999 }],
  ['an option', { prot: 3000 }],
  ['a missing port', { port: undefined }],
  ['a missing command', { command: [] }],
  ['two ways to say an address', { listen: ['3000'] }],
  ['a missing path to ask', { warmup: 5 }],
])('what is wrong with %s is told with the program', (_, wrong) => {
  const { message } = refusal({ name: 'many', programs: { db: on(3000), shop: on(3001, wrong) } });
  expect(message).toContain('shop');
});

test('host is for every listener without one', () => {
  const options = {
    command: ['node', 'app.js'],
    host: '::1',
    listen: ['3000', 'admin=127.0.0.1:0', 'x=3001', 'unix:/a.sock'],
  };
  const [program] = compileOptions(options, '/srv').programs;
  expect(program?.listeners).toMatchObject([
    { name: 'default', host: '::1', port: 3000 },
    { name: 'admin', host: '127.0.0.1', port: 0 },
    { name: 'x', host: '::1', port: 3001 },
    { path: '/a.sock' },
  ]);
  expect(compileOptions({ ...options, listen: ['3000'], reusePort: true }, '/srv').programs).toHaveLength(1);
});

test('a master of one program is checked as a whole too', () => {
  const twice = { command: ['node', 'app.js'], listen: ['3000', '127.0.0.1:3000'] };
  expect(refusal(twice)).toMatchObject({ code: 'planInvalid', problems: [{ key: 'listen[1]' }] });
  expect(refusal(on(3000, { dependsOn: ['db'] }))).toMatchObject({ code: 'badOption' });
  expect(refusal({ command: ['node', 'app.js'], listen: [] })).toMatchObject({ code: 'planInvalid' });
});

test('HTTP is not asked over UDP', () => {
  const options = { command: ['node', 'app.js'], ready: 'http:/healthz' as const };
  expect(refusal({ ...options, listen: ['udp:127.0.0.1:53'] })).toMatchObject({ code: 'badOption' });
  expect(() => compileOptions({ ...options, listen: ['udp:127.0.0.1:53', '80'] }, '/srv')).not.toThrow();
});

test('what is wrong with a plan of the command line is named by the option that was given', () => {
  const reusePort = { command: ['node', 'app.js'], reusePort: true };
  const keys = [
    { ...reusePort, port: 3000 },
    { ...reusePort, listen: ['3000'] },
  ].map((options) => {
    try {
      compileOptions(options, '/srv', 'commandLine');
    } catch (error) {
      if (error instanceof GracefulRunError) return error.problems.map(({ key }) => key);
      throw error;
    }
    return [];
  });
  expect(keys).toEqual([['--port'], ['--listen']]);
});

test.each([
  ['30s', undefined],
  ['40s', undefined],
  ['2s', '1500ms'],
])(
  'a delay of %s is refused with a ready timeout of %s, because no worker would be ready in time',
  (delay, readyTimeout) => {
    const options = on(3000, { ready: `delay:${delay}`, readyTimeout });
    expect(refusal(options)).toMatchObject({
      code: 'badOption',
      message: expect.stringContaining(`delay:${delay}`) as string,
      hint: expect.stringContaining('--ready-timeout') as string,
    });
  },
);

test('a delay that is shorter than the ready timeout is right', () => {
  const options = {
    command: ['node', 'app.js'],
    port: 3000,
    ready: 'delay:40s' as const,
    readyTimeout: '41s',
  };
  expect(compileOptions(options, '/srv').programs[0]?.readyTimeoutMs).toBe(41_000);
});
