import { expect, test } from 'vitest';
import { checkPlan } from '../../../../src/master/config/check-plan.ts';
import { parseListenAddress } from '../../../../src/master/config/options/listen-address.ts';
import {
  compileOutput,
  type WrittenOutputOptions,
} from '../../../../src/master/config/options/output-options.ts';
import type { ListenerPlan } from '../../../../src/master/config/plan.ts';

interface Given {
  readonly name?: string;
  readonly listen?: readonly string[];
  readonly dependsOn?: readonly string[];
  readonly reusePort?: boolean;
  readonly type?: 'server' | 'worker';
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly pidFile?: string;
  readonly output?: WrittenOutputOptions;
}

function check(programs: readonly Given[], otherNames?: readonly string[] | null) {
  return checkPlan(
    programs.map(
      ({
        name = 'a',
        listen = ['0'],
        dependsOn = [],
        reusePort = false,
        type = 'server',
        command = ['x'],
        environment = {},
        pidFile,
        output = {},
      }) => ({
        name,
        reusePort,
        kind: { type, pidFile: pidFile === undefined ? null : { path: pidFile, graceMs: 0 } },
        output: compileOutput(output, '/'),
        schedule: null,
        command,
        environment,
        dependsOn,
        listeners: listen.map((written, index): ListenerPlan => {
          const address = parseListenAddress(written);
          const common = { name: String(index), backlog: 1 };
          if (address?.type === 'fd') return { ...common, type: 'fd', fd: address.fd };
          if (address?.type === 'udp')
            return { ...common, type: 'udp', host: address.host, port: address.port };
          return address?.type === 'unix'
            ? { ...common, type: 'unix', path: address.path, mode: null, owner: null }
            : { ...common, type: 'tcp', host: address?.host ?? null, port: address?.port ?? 0 };
        }),
      }),
    ),
    otherNames,
  );
}

function conflicts(...addresses: readonly string[]): number {
  return check(addresses.map((address, index) => ({ name: `p${index}`, listen: [address] }))).length;
}

test.each([
  ['3000', '3000'],
  ['3000', '127.0.0.1:3000'],
  ['[::]:3000', '127.0.0.1:3000'],
  ['[::]:3000', '[::1]:3000'],
  ['0.0.0.0:3000', '127.0.0.1:3000'],
  ['0.0.0.0:3000', '[::]:3000'],
  ['0.0.0.0:3000', 'localhost:3000'],
  ['localhost:3000', '127.0.0.1:3000'],
  ['localhost:3000', '[::1]:3000'],
  ['LOCALHOST:3000', 'localhost:3000'],
  ['[0:0:0:0:0:0:0:1]:3000', '[::1]:3000'],
  ['[::ffff:127.0.0.1]:3000', '127.0.0.1:3000'],
  ['db.example:3000', 'DB.example:3000'],
  ['db.example:3000', '3000'],
  ['udp:0.0.0.0:3000', 'udp:127.0.0.1:3000'],
])('%s and %s exclude each other, in either order', (one, other) => {
  expect([conflicts(one, other), conflicts(other, one)]).toEqual([1, 1]);
});

test.each([
  ['3000', '3001'],
  ['0', '0'],
  ['127.0.0.1:0', '127.0.0.1:0'],
  ['127.0.0.1:3000', '127.0.0.2:3000'],
  ['127.0.0.1:3000', '[::1]:3000'],
  ['0.0.0.0:3000', '[::1]:3000'],
  ['a.example:3000', 'b.example:3000'],
  ['[fe80::1%eth0]:3000', '[fe80::1%eth1]:3000'],
  ['3000', 'udp:0.0.0.0:3000'],
])('%s and %s can stand beside each other', (one, other) => {
  expect([conflicts(one, other), conflicts(other, one)]).toEqual([0, 0]);
});

test('two listeners of one program can collide as well', () => {
  expect(check([{ listen: ['3000', '3001', '127.0.0.1:3000'] }])).toMatchObject([
    { program: 0, key: 'listen', item: 2 },
  ]);
});

test('a plan without a program, and a program without a listener', () => {
  expect(check([])).toMatchObject([{ program: null }]);
  expect(check([], ['broken'])).toEqual([]);
  expect(check([{ listen: [] }])).toMatchObject([{ program: 0, key: null }]);
});

test('each cycle is named once, from the program that was written first', () => {
  const faults = check([
    { name: 'a', dependsOn: ['d', 'c'] },
    { name: 'b', dependsOn: ['a'] },
    { name: 'c', dependsOn: ['b'] },
    { name: 'd', dependsOn: ['d'] },
  ]);
  expect(faults).toMatchObject([
    { program: 3, key: 'depends_on', item: 0 },
    { program: 0, key: 'depends_on', item: 1 },
  ]);
  expect(faults[1]?.message).toContain('a → c → b → a');
});

test('a diamond is no cycle', () => {
  const diamond = [
    { name: 'a', dependsOn: ['b', 'c'] },
    { name: 'b', dependsOn: ['d'] },
    { name: 'c', dependsOn: ['d'] },
    { name: 'd' },
  ];
  expect(check(diamond)).toEqual([]);
});

test('an unknown name suggests the nearest; none is unknown where names are missing', () => {
  const programs = [{ name: 'shop' }, { name: 'web', dependsOn: ['shopp', 'broken'] }];
  expect(check(programs, ['broken'])).toMatchObject([{ program: 1, item: 0 }]);
  expect(check(programs, ['broken'])[0]?.hint).toContain('shop');
  expect(check(programs, null)).toEqual([]);
});

test('two programs of one name', () => {
  expect(check([{ name: 'a' }, { name: 'b' }, { name: 'a' }])).toMatchObject([{ program: 2, key: 'name' }]);
});

test('a placeholder that names no listener is a fault of its word or variable', () => {
  const faults = check([
    { name: 'good', command: ['x', '{fd}', '{port:1}', '{other}', '${port}'], listen: ['3000', '3001'] },
    { name: 'bad', command: ['x', 'fd={fd:web}', '{prot}'], environment: { FDS: '{path}' } },
  ]);
  expect(faults.map(({ program, key, item }) => [program, key, item])).toEqual([
    [1, 'command', 1],
    [1, 'command', 2],
    [1, 'environment', 'FDS'],
  ]);
});

test('reuse_port is for addresses of TCP with a host', () => {
  const good = ['127.0.0.1:3000', '[::]:3001', 'app.local:3002'];
  expect(check([{ listen: good, reusePort: true }])).toEqual([]);
  expect(check([{ listen: ['3000', 'unix:/run/app.sock'] }])).toEqual([]);
  const bad = check([{ listen: ['127.0.0.1:1', '3000', 'unix:/run/app.sock'], reusePort: true }]);
  expect(bad.map(({ key, item, message }) => ({ key, item, message }))).toEqual([
    { key: 'listen', item: 1, message: 'port 3000 needs a host with reuse_port' },
    {
      key: 'listen',
      item: 2,
      message: 'unix:/run/app.sock cannot be used with reuse_port, which only TCP has',
    },
  ]);
});

test('a program without an address says so with its type', () => {
  expect(check([{ listen: [] }])).toMatchObject([{ message: 'needs a listener' }]);
  expect(check([{ listen: [], type: 'worker' }])).toEqual([]);
  expect(check([{ listen: [], type: 'worker', command: ['x', '{port}', '{num}'] }])).toMatchObject([
    { key: 'command', item: 1 },
  ]);
});

test('two programs cannot have one pid file', () => {
  const daemon = (name: string, pidFile: string): Given => ({ name, type: 'worker', listen: [], pidFile });
  expect(
    check([daemon('a', '/run/a.pid'), daemon('b', '/run/b.pid'), daemon('c', '/run/a.pid')]),
  ).toMatchObject([
    { program: 2, key: 'adopt_pid_file', message: '/run/a.pid is the pid file of program a already' },
  ]);
});

test('those who write to one log file rotate it in one way', () => {
  const logged = (name: string, output: WrittenOutputOptions): Given => ({ name, output });
  const small = { stdoutLogfileMaxbytes: '1MB' };
  expect(
    check([
      logged('a', { stdoutLogfile: '/log/all' }),
      logged('b', { stdoutLogfile: '/log/all', redirectStderr: true }),
      logged('c', { stdoutLogfile: '/log/{name}', ...small }),
      logged('d', { stdoutLogfile: '/log/{name}' }),
    ]),
  ).toEqual([]);
  expect(
    check([logged('a', { stdoutLogfile: '/log/all' }), logged('b', { stdoutLogfile: '/log/all', ...small })]),
  ).toMatchObject([
    {
      program: 1,
      key: 'stdout_logfile',
      message: 'shares /log/all with program a, which rotates it in another way',
    },
  ]);
  expect(
    check([logged('a', { stdoutLogfile: '/log/all', stderrLogfile: '/log/all', ...small })]),
  ).toMatchObject([
    {
      program: 0,
      key: 'stderr_logfile',
      message: 'shares /log/all with stdout, which rotates it in another way',
    },
  ]);
});
