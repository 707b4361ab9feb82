import { expect, test } from 'vitest';
import { compileOptions, type MasterOptions } from '../../../../src/master/config/options.ts';
import type { ProcessPlan } from '../../../../src/master/config/options/launch-options.ts';
import { accountVariables, wrappersOf } from '../../../../src/master/launch/process-wrappers.ts';
import { findWrappers } from '../../../../src/master/launch/wrap-process.ts';

const www = { uid: 33, gid: 34, entry: { name: 'www', home: '/var/www', shell: '/bin/false' } };
const bare = { uid: 4242, gid: 4242, entry: null };

function plan(options: Partial<MasterOptions>): ProcessPlan {
  const [program] = compileOptions({ command: ['app'], port: 0, ...options }, '/').programs;
  if (program === undefined) throw new Error('no program');
  return program.process;
}

function words(options: Partial<MasterOptions>, account: typeof www | typeof bare | null = null): string {
  return wrappersOf(plan(options), { account, niceness: 2 })
    .map(({ tool, words: own }) => [tool, ...own].join(' '))
    .join(' ');
}

test('what needs the privileges of the master is set before they are given up', () => {
  const all = {
    user: 'www',
    nice: -5,
    limits: { nofile: 4096, core: 'unlimited', nproc: '10:20' },
    noNewPrivileges: true,
    cpuAffinity: '0-1',
    oomScoreAdj: -100,
  };
  expect(words(all, www)).toBe(
    [
      'choom -n -100 --',
      'nice -n -7 --',
      'prlimit --nofile=4096:4096 --core=unlimited:unlimited --nproc=10:20 --',
      'taskset --cpu-list 0-1',
      'setpriv --reuid=33 --regid=34 --init-groups --no-new-privs --',
    ].join(' '),
  );
});

test('a process that needs nothing is started as it is', () => {
  expect(words({ nice: 2, noNewPrivileges: false, limits: {} })).toBe('');
});

test('a user without an entry in the user database has no supplementary groups and no variables', () => {
  expect(words({ user: '4242:4242' }, bare)).toBe('setpriv --reuid=4242 --regid=4242 --clear-groups --');
  expect(accountVariables(bare)).toEqual({});
  expect(accountVariables(www)).toEqual({
    HOME: '/var/www',
    SHELL: '/bin/false',
    USER: 'www',
    LOGNAME: 'www',
  });
});

test.each([
  { user: 'a b' },
  { user: ':web' },
  { umask: '9' },
  { nice: -21 },
  { limits: { files: 1 } },
  { limits: { nofile: 'many' } },
  { limits: { nofile: -1 } },
  { cpuAffinity: '0,' },
  { oomScoreAdj: 1001 },
])('%j is refused', (options) => {
  expect(() => plan(options)).toThrow(expect.objectContaining({ code: 'badOption' }));
});

test('a program of the machine that is missing is named, with the package that has it', () => {
  const path = '/nowhere';
  expect(() => findWrappers(plan({ limits: { nofile: 9 } }), null, path, path)).toThrow(
    expect.objectContaining({
      code: 'toolMissing',
      message: 'cannot set limits: prlimit is not installed',
      hint: 'install util-linux, which has it, or leave limits out',
    }),
  );
});
