import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  releasedEnvironment,
  throughTrampoline,
  umaskOf,
  withListenPid,
} from '../../../../src/master/launch/trampoline.ts';
import { changedPort, workerEnvironment } from '../../../../src/master/launch/worker-environment.ts';

const options = {
  inherited: {},
  fromPlan: {},
  fromFile: {},
  listeners: [{ name: 'default', fd: 3, type: 'tcp' as const, host: '::', port: 10086, backlog: 511 }],
  cwd: '/srv/app/current',
  generation: 7,
  slot: 1,
  masterPid: 4_000,
  channelLock: 'd9b1',
  codeCache: null,
  hasSystemd: true,
  isServer: true,
  drainTimeoutMs: 30_000,
  rescueMs: 0,
  health: null,
  maxRequests: null,
  named: null,
  tree: 'abc-1.7',
};

const node = { node: '/usr/bin/node', script: '/opt/trampoline.cjs', hasShell: true };

test('announces the listener in every protocol at once', () => {
  expect(workerEnvironment(options)).toEqual({
    PWD: '/srv/app/current',
    PORT: '10086',
    HOST: '::',
    LISTEN_FDS: '1',
    LISTEN_FDNAMES: 'default',
    SERVER_STARTER_PORT: '[::]:10086=3',
    SERVER_STARTER_GENERATION: '7',
    EINHORN_FD_0: '3',
    EINHORN_FD_COUNT: '1',
    GRACEFUL_RUN_GENERATION: '7',
    GRACEFUL_RUN_WORKER: '1',
    GRACEFUL_RUN_MASTER_PID: '4000',
    GRACEFUL_RUN_CHANNEL_LOCK: 'd9b1',
    GRACEFUL_RUN_TREE: 'abc-1.7',
    GRACEFUL_RUN_LISTENERS: JSON.stringify(options.listeners),
    GRACEFUL_RUN_DRAIN_TIMEOUT_MS: '30000',
  });
});

test('says what a worker has to find out about itself, where something is asked', () => {
  const health = { path: '/healthz', warmup: 50, readyTimeoutMs: 30_000 };
  expect(workerEnvironment({ ...options, health })).toMatchObject({
    GRACEFUL_RUN_HEALTH: JSON.stringify(health),
  });
});

test('the env file wins over the inherited variables, the contract over both', () => {
  const result = workerEnvironment({
    ...options,
    inherited: { A: 'inherited', B: 'inherited', PORT: '1' },
    fromFile: { B: 'file', PORT: '2' },
  });
  expect(result).toMatchObject({ A: 'inherited', B: 'file', PORT: '10086' });
});

test('a variable called __proto__ is one like any other', () => {
  const named = (value: string): Record<string, string> => Object.fromEntries([['__proto__', value]]);
  const own = (environment: object): unknown =>
    Object.getOwnPropertyDescriptor(environment, '__proto__')?.value;
  expect(own(workerEnvironment({ ...options, inherited: named('inherited') }))).toBe('inherited');
  expect(own(workerEnvironment({ ...options, fromFile: named('file') }))).toBe('file');
  const { environment } = withListenPid({ file: '/app', args: [] }, { ...named('v'), 'db.host': 'x' }, node);
  expect(own(releasedEnvironment(environment, 7))).toBe('v');
});

test('HOST is set only where the program would have none', () => {
  const hostOf = (inherited: Record<string, string>, fromFile: Record<string, string> = {}): unknown =>
    workerEnvironment({ ...options, inherited, fromFile })['HOST'];
  expect(hostOf({})).toBe('::');
  expect(hostOf({ HOST: '' })).toBe('::');
  expect(hostOf({ HOST: 'shop.example.com' })).toBe('shop.example.com');
  expect(hostOf({ HOST: 'shop.example.com' }, { HOST: '127.0.0.1' })).toBe('127.0.0.1');
});

test('a PORT that is changed is noticed, with the place where it was set', () => {
  const changed = (inherited: Record<string, string>, fromFile: Record<string, string> = {}): unknown =>
    changedPort({ ...options, inherited, fromFile });
  expect(changed({})).toBe(null);
  expect(changed({ PORT: '' })).toBe(null);
  expect(changed({ PORT: '10086' })).toBe(null);
  expect(changed({ PORT: '3000' })).toBe('environment');
  expect(changed({ PORT: '10086' }, { PORT: '3000' })).toBe('file');
  expect(changed({ PORT: '3000' }, { PORT: '10086' })).toBe(null);
  expect(changedPort({ ...options, listeners: [], inherited: { PORT: '1' } })).toBe(null);
});

test('nothing that another master has said to this one is passed on', () => {
  const foreign = {
    LISTEN_PID: '1',
    LISTEN_FDS: '9',
    NODE_CHANNEL_FD: '3',
    EINHORN_SOCK_PATH: '/x',
    GRACEFUL_RUN_WORKER: '9',
    SERVER_STARTER_PORT: '80=3',
  };
  const result = workerEnvironment({ ...options, listeners: [], inherited: foreign });
  expect(result).not.toHaveProperty('LISTEN_PID');
  expect(result).not.toHaveProperty('NODE_CHANNEL_FD');
  expect(result).not.toHaveProperty('EINHORN_SOCK_PATH');
  expect(result).toMatchObject({ LISTEN_FDS: '0', GRACEFUL_RUN_WORKER: '1', SERVER_STARTER_PORT: '' });
});

test('the trampoline is a shell, which keeps the arguments', () => {
  const command = { file: '/srv/a=b/app', args: ['a b', '$c'] };
  const start = withListenPid(command, { FINE: '1' }, node);
  expect(start.args.slice(3)).toEqual(['/srv/a=b/app', 'a b', '$c']);
  expect(start.environment).toEqual({ FINE: '1' });
});

test('where there is no shell, the trampoline is Node.js', () => {
  const start = withListenPid({ file: '/app', args: ['a'] }, { FINE: '1' }, { ...node, hasShell: false });
  expect(start.args).toEqual(['/opt/trampoline.cjs', '/app', 'a']);
  expect(releasedEnvironment(start.environment, 4_242)).toEqual({ FINE: '1', LISTEN_PID: '4242' });
});

test('variables that a shell would drop stay in the environment, and never come to a command line', () => {
  const command = { file: '/srv/a=b/app', args: ['a b', '$c'] };
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ minLength: 1 }), fc.stringMatching(/^secret-\w{8,}$/)),
      (variables) => {
        const environment = {
          ...variables,
          'db.password': 'secret-password',
          NODE_OPTIONS: 'secret-options',
        };
        const start = withListenPid(command, environment, node);
        for (const value of Object.values(environment))
          expect([start.file, ...start.args].join('\0')).not.toContain(value);
        expect(start.args).toEqual([node.script, command.file, ...command.args]);
        expect(start.environment).not.toHaveProperty('NODE_OPTIONS');
        // As entries: an expected object that has a `__proto__` of its own is not compared by it.
        expect(Object.entries(releasedEnvironment(start.environment, 7)).sort()).toEqual(
          Object.entries({ ...environment, LISTEN_PID: '7' }).sort(),
        );
      },
    ),
  );
});

test('PORT names a UDP listener only where there is no other one', () => {
  const udp = { name: 'dns', fd: 3, type: 'udp' as const, host: '127.0.0.1', port: 53, backlog: 0 };
  const web = { name: 'web', fd: 4, type: 'tcp' as const, host: '::', port: 80, backlog: 1 };
  const unix = { name: 'admin', fd: 5, type: 'unix' as const, path: '/run/app.sock', backlog: 1 };
  const portOf = (listeners: Parameters<typeof workerEnvironment>[0]['listeners']): unknown =>
    workerEnvironment({ ...options, listeners })['PORT'];
  expect([portOf([udp]), portOf([udp, web]), portOf([udp, unix])]).toEqual(['53', '80', undefined]);
});

test('the environment has layers: the master, the program, its file, and last what graceful-run tells', () => {
  const layers = {
    inherited: { A: 'master', B: 'master', C: 'master', SUPERVISOR_GROUP_NAME: 'outer' },
    fromPlan: { A: 'program', B: 'program' },
    fromFile: { A: 'file' },
  };
  const named = { program: 'shop', group: 'shop', workers: 1 };
  expect(workerEnvironment({ ...options, ...layers, named, slot: 0 })).toMatchObject({
    A: 'file',
    B: 'program',
    C: 'master',
    SUPERVISOR_ENABLED: '1',
    SUPERVISOR_PROCESS_NAME: 'shop',
    SUPERVISOR_GROUP_NAME: 'shop',
  });
});

test('the variables of Supervisor can be set by the program and by its file, as Supervisor allows it', () => {
  const named = { program: 'shop', group: 'shop', workers: 1 };
  const inherited = { SUPERVISOR_SERVER_URL: 'http://localhost:9001' };
  const fromPlan = { SUPERVISOR_ENABLED: '0', SUPERVISOR_SERVER_URL: 'unix:///run/own.sock' };
  const fromFile = { SUPERVISOR_GROUP_NAME: 'other' };
  expect(workerEnvironment({ ...options, inherited, fromPlan, fromFile, named, slot: 0 })).toMatchObject({
    ...fromPlan,
    ...fromFile,
    SUPERVISOR_PROCESS_NAME: 'shop',
  });
});

test('what belongs to another master is not taken from the plan either', () => {
  const fromPlan = { LISTEN_PID: '1', GRACEFUL_RUN_READY_FD: '9', A: '1' };
  const result = workerEnvironment({ ...options, fromPlan });
  expect(result).toMatchObject({ A: '1' });
  expect(result).not.toHaveProperty('LISTEN_PID');
  expect(result).not.toHaveProperty('GRACEFUL_RUN_READY_FD');
});

test('no two workers of a program of one worker that was scaled have the same name for Supervisor', () => {
  const named = { program: 'shop', group: 'shop', workers: 1 };
  const names = [0, 1, 2].map(
    (slot) => workerEnvironment({ ...options, named, slot })['SUPERVISOR_PROCESS_NAME'],
  );
  expect(names).toEqual(['shop', 'shop_01', 'shop_02']);
});

test('one of several workers has its number in the name that it has for Supervisor, and its group', () => {
  const named = { program: 'shop', group: 'site', workers: 3 };
  expect(workerEnvironment({ ...options, named, slot: 2 })).toMatchObject({
    SUPERVISOR_PROCESS_NAME: 'shop_02',
    SUPERVISOR_GROUP_NAME: 'site',
  });
});

test('the supervisord that has started the master is not taken for the one that knows the worker', () => {
  const inherited = { SUPERVISOR_SERVER_URL: 'http://localhost:9001', SUPERVISOR_ENABLED: '1' };
  expect(workerEnvironment({ ...options, inherited })).toMatchObject(inherited);
  const named = { program: 'shop', group: 'shop', workers: 1 };
  expect(workerEnvironment({ ...options, inherited, named })).not.toHaveProperty('SUPERVISOR_SERVER_URL');
});

const nothing = { setsListenPid: false, umask: null, comesAfterRoot: false };

test('with nothing to set, the command is started as it is', () => {
  const command = { file: '/app', args: ['a'] };
  expect(throughTrampoline(command, { A: '1' }, nothing, node)).toEqual({
    ...command,
    environment: { A: '1' },
  });
});

test('the umask is set by the shell, or by Node.js where a shell would drop a variable', () => {
  const command = { file: '/app', args: ['a'] };
  const shell = throughTrampoline(command, { A: '1' }, { ...nothing, umask: 0o27 }, node);
  expect([shell.file, ...shell.args]).toEqual(['/bin/sh', '-c', 'umask 027; exec "$@"', 'sh', '/app', 'a']);
  const { environment } = throughTrampoline(command, { 'a.b': '1' }, { ...nothing, umask: 0o27 }, node);
  expect(umaskOf(environment)).toBe(0o27);
  expect(releasedEnvironment(environment, 7)).toEqual({ 'a.b': '1', LISTEN_PID: '7' });
});

test('programs that run as root do not get the variables that the dynamic linker and the C library obey', () => {
  const environment = { LD_PRELOAD: "/tmp/a'b.so", GCONV_PATH: '/tmp', A: '1' };
  const how = { ...nothing, comesAfterRoot: true };
  const start = throughTrampoline({ file: '/app', args: [] }, environment, how, node);
  expect(Object.keys(start.environment).sort()).toEqual([
    'A',
    'GRACEFUL_RUN_HELD_GCONV_PATH',
    'GRACEFUL_RUN_HELD_LD_PRELOAD',
  ]);
  const noShell = throughTrampoline(
    { file: '/app', args: [] },
    environment,
    { ...how, umask: 0 },
    { ...node, hasShell: false },
  );
  expect(noShell.environment).not.toHaveProperty('LD_PRELOAD');
  expect(releasedEnvironment(noShell.environment, 7)).toEqual({ ...environment, LISTEN_PID: '7' });
});
