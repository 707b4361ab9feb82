import { expect, test } from 'vitest';
import { optionTable } from '../../../../src/master/cli/option-table.ts';
import { fileKeyOf, parseCommandLine } from '../../../../src/master/cli/parse-command-line.ts';
import { masterKeys, programKeys } from '../../../../src/master/config/files/config-keys.ts';
import { plainProcess } from '../../../../src/master/config/options/launch-options.ts';
import { plainStop } from '../../../../src/master/config/options/stop-options.ts';
import { compileOptions, type MasterOptions } from '../../../../src/master/config/options.ts';
import { GracefulRunError } from '../../../../src/shared/errors.ts';

function optionsOf(line: string): MasterOptions {
  const invocation = parseCommandLine(line.split(' '));
  if (invocation.kind !== 'run') throw new Error(invocation.kind);
  return invocation.options;
}

test.each([
  ['--port 80 -- node app.js', { port: 80, command: ['node', 'app.js'] }],
  ['--port=80 node app.js --port 1', { port: 80, command: ['node', 'app.js', '--port', '1'] }],
  ['--port 80 -- node app.js -- x', { port: 80, command: ['node', 'app.js', '--', 'x'] }],
  ['--port 80 --watch -- node app.js', { port: 80, watch: true, command: ['node', 'app.js'] }],
  ['--port 80 --watch a b -- x', { port: 80, watch: ['a', 'b'], command: ['x'] }],
  ['--port 80 --watch a --watch b -- x', { port: 80, watch: ['a', 'b'], command: ['x'] }],
  ['--port 80 --workers auto -- x', { port: 80, workers: 'auto', command: ['x'] }],
  ['--port 80 --no-control -- x', { port: 80, control: false, command: ['x'] }],
  ['--port 80 --ready-timeout 5s --cwd d -- x', { port: 80, readyTimeout: '5s', cwd: 'd', command: ['x'] }],
  [
    '--port 80 --ready http:/up --warmup 50 -- x',
    { port: 80, ready: 'http:/up', warmup: 50, command: ['x'] },
  ],
  ['--port 80 --name 007 -- 12 1e3', { port: 80, name: '007', command: ['12', '1e3'] }],
])('%s', (line, options) => {
  expect(optionsOf(line)).toEqual(options);
});

test('--canary is the canary of the plan', () => {
  const { programs } = compileOptions(optionsOf('--port 80 --workers 2 --canary 1 -- x'), '/srv');
  expect(programs[0]?.rollout.steps).toMatchObject({ canary: 1, canaryMs: 2_000 });
});

test.each(['--help', '--help --port x', '--port 80 --help -- x'])('%s asks for help', (line) => {
  expect(parseCommandLine(line.split(' ')).kind).toBe('help');
});

test('--version asks for the version', () => {
  expect(parseCommandLine(['--version']).kind).toBe('version');
});

test.each([
  ['--port 80 -- x --check', null],
  ['--check --port 80 -- x', { isRun: false, isJson: false }],
  ['--check --run --json --port 80 -- x', { isRun: true, isJson: true }],
])('what is to be checked: %s', (line, check) => {
  expect(parseCommandLine(line.split(' '))).toMatchObject({ kind: 'run', check });
});

test.each(['--run --port 80 -- x', '--json --port 80 -- x', '--no-check --port 80 -- x'])(
  '%s is no option',
  (line) => {
    expect(codeOf(() => parseCommandLine(line.split(' ')))).toBe('badOption');
  },
);

test('--host is for the addresses of --listen that have none', () => {
  const { host, listen } = optionsOf('--host 127.0.0.1 --listen 3000 [::1]:3001 -- x');
  expect({ host, listen }).toEqual({ host: '127.0.0.1', listen: ['3000', '[::1]:3001'] });
  const [program] = compileOptions(
    optionsOf('--host 127.0.0.1 --listen 3000 [::1]:3001 -- x'),
    '/srv',
  ).programs;
  expect(program?.listeners).toMatchObject([
    { host: '127.0.0.1', port: 3000 },
    { host: '::1', port: 3001 },
  ]);
});

function codeOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof GracefulRunError ? error.code : String(error);
  }
}

test.each([
  '-- node app.js',
  '--port -- x',
  '--port 70000 -- x',
  '--port 1.5 -- x',
  '--port 1 --port 2 -- x',
  '--port 1 --name a --name b -- x',
  '--port x -- x',
  '--prot 1 --port 1 -- x',
  '-x --port 1 -- x',
  '--port 1 --workers 0 -- x',
  '--port 1 --workers many -- x',
  '--port 1 --ready-timeout 5 -- x',
  '--port 1 --ready-timeout 0s -- x',
  '--port 1 --drain-timeout 25h -- x',
  '--port 1 --drain-signal KILL -- x',
  '--port 1 --ready /healthz -- x',
  '--port 1 --ready http:healthz -- x',
  '--port 1 --ready http://localhost/healthz -- x',
  '--port 1 --ready http:/schön -- x',
  '--port 1 --warmup 50 -- x',
  '--port 1 --warmup 50 --ready listen -- x',
  '--port 1 --warmup 10001 --ready http:/ -- x',
  '--port 1 --warmup some --ready http:/ -- x',
  '--port 1 --name a/b -- x',
  '--port 1 --host= -- x',
  '--port 1 --log-level loud -- x',
  '--port 1 --log-format xml -- x',
  '--port 1 --backlog 0 -- x',
  '--no-port -- x',
  '--port 1 --no-watch -- x',
])('%s is refused', (line) => {
  expect(codeOf(() => compileOptions(optionsOf(line), '/'))).toBe('badOption');
});

test.each([
  ['--no-port -- x', '--no-port'],
  ['--port 1 --no-port -- x', '--no-port'],
  ['--port 1 --no-ready-timeout -- x', '--no-ready-timeout'],
  ['--port 1 --watch a --no-watch -- x', '--no-watch'],
  ['--port 1 --no-help -- x', '--no-help'],
])('%s is told that there is no option %s', (line, stranger) => {
  expect(() => parseCommandLine(line.split(' '))).toThrow(new RegExp(`there is no option ${stranger}$`));
});

test.each(['--port 1', '--port 1 --'])('%s misses the command', (line) => {
  expect(codeOf(() => compileOptions(optionsOf(line), '/'))).toBe('commandMissing');
});

test('options are compiled once: durations in ms, paths absolute, defaults filled in', () => {
  expect(
    compileOptions({ command: ['x'], port: 1, cwd: 'current', watch: ['src'], drainTimeout: '2m' }, '/srv'),
  ).toEqual({
    master: {
      name: null,
      hasControl: true,
      metrics: null,
      remembers: false,
      file: null,
      logLevel: null,
      logFormat: null,
    },
    programs: [
      {
        name: null,
        command: ['x'],
        listeners: [{ type: 'tcp', name: 'default', host: null, port: 1, backlog: 4096 }],
        reusePort: false,
        workers: 1,
        cwd: '/srv/current',
        environment: {},
        environmentFile: null,
        process: plainProcess,
        output: {
          stdout: { to: 'inherit' },
          stderr: { to: 'inherit' },
          format: { stripsAnsi: false, hasTimestamps: false, isJson: false },
          hasPrefix: true,
          isRedirected: false,
        },
        watch: ['/srv/src'],
        workerKind: {
          migrates: true,
          readiness: { when: 'auto' },
          drainSignal: 'auto',
        },
        startsMs: 1_000,
        readyTimeoutMs: 30_000,
        probationMs: 2_000,
        drainTimeoutMs: 120_000,
        rescueMs: 10_000,
        stop: plainStop,
        autostart: true,
        dependsOn: [],
        kind: { type: 'server', overlaps: true, priority: 999, pidFile: null },
        group: null,
        schedule: null,
        hooks: null,
        webhook: null,
        replacement: {
          maxMemoryBytes: null,
          maxLifetimeMs: null,
          maxRequests: null,
          watchdogMs: null,
          intervalMs: 10_000,
        },
        restart: {
          autorestart: 'always',
          exitCodes: [0],
          startRetries: 0,
          backoff: 'exponential',
          backoffMaxMs: 30_000,
          crashLoop: null,
          onFatal: null,
        },
        rollout: {
          steps: {
            maxSurge: null,
            maxUnavailable: { count: 0 },
            pauseMs: 2_000,
            canary: 0,
            canaryMs: 2_000,
          },
          rollbackOn: null,
        },
      },
    ],
  });
});

test('a health path is what stands behind http:', () => {
  const compiled = compileOptions(
    { command: ['x'], port: 1, ready: 'http:/healthz?deep=1', warmup: 50 },
    '/srv',
  );
  expect(compiled.programs[0]?.workerKind.readiness).toEqual({
    when: 'answers',
    path: '/healthz?deep=1',
    warmup: 50,
  });
});

const findNone = (): string | null => null;
const findOne = (): string | null => '/srv/graceful.toml';

test.each([
  ['-c a.toml', { file: 'a.toml', logLevel: null, logFormat: null }],
  ['--config a.toml --log-level debug', { file: 'a.toml', logLevel: 'debug', logFormat: null }],
  ['--config=a.toml --log-format json', { file: 'a.toml', logLevel: null, logFormat: 'json' }],
])('%s runs the programs of a file', (line, expected) => {
  expect(parseCommandLine(line.split(' '), findNone)).toEqual({ kind: 'runFile', check: null, ...expected });
});

test('the config file of the folder is read if there is no command', () => {
  expect(parseCommandLine([], findOne)).toMatchObject({ kind: 'runFile', file: '/srv/graceful.toml' });
  expect(parseCommandLine(['--log-level', 'warn'], findOne)).toMatchObject({
    kind: 'runFile',
    logLevel: 'warn',
  });
  expect(parseCommandLine(['--port', '1', '--', 'x'], findOne)).toMatchObject({ kind: 'run' });
});

test('without a command and without a config file there is nothing to run', () => {
  expect(codeOf(() => parseCommandLine([], findNone))).toBe('commandMissing');
});

test.each([
  '-c a.toml --port 1',
  '-c a.toml -- x',
  '-c a.toml -c b.toml',
  '-c= ',
  '--no-config',
  '-c a.toml --cwd x',
])('%s is refused', (line) => {
  expect(codeOf(() => parseCommandLine(line.split(' '), findNone))).toBe('badOption');
});

test('options of a program beside the file of the folder are refused', () => {
  expect(codeOf(() => parseCommandLine(['--workers', '2'], findOne))).toBe('badOption');
});

test('every option of a program has a key in a config file, under the name that the error says', () => {
  const tables: Readonly<Record<string, object>> = { '[master]': masterKeys, '[program.NAME]': programKeys };
  for (const row of optionTable.filter(({ option }) => option !== null)) {
    const [key = '', , table = ''] = fileKeyOf(row).split(' ');
    expect(Object.keys(tables[table] ?? {})).toContain(key);
  }
});

/** The hint of a command line that is refused. */
function hintFor(line: string): string | null {
  try {
    compileOptions(optionsOf(line), '/', 'commandLine');
  } catch (error) {
    if (error instanceof GracefulRunError) return error.hint;
    throw error;
  }
  throw new Error('not refused');
}

test.each([
  ['--prot 3000 -- x', 'did you mean --port?'],
  ['-p 3000 -- x', 'did you mean --port or --probation?'],
  ['--port 1 --drain-timeout 20 -- x', 'did you mean --drain-timeout 20s?'],
  ['--port 1 --drain-timeout 1500 -- x', 'did you mean --drain-timeout 1500ms?'],
  ['--port 1 --keepalive 60:10:5 -- x', 'did you mean --keepalive 60s:10s:5?'],
  ['--port 1 --ready 9000 -- x', 'did you mean --ready tcp:9000?'],
  ['--port 1 --ready /healthz -- x', 'did you mean --ready http:/healthz?'],
  ['--port 1 --ready http:healthz -- x', 'did you mean --ready http:/healthz?'],
  ['--listen /run/app.sock -- x', 'did you mean --listen unix:/run/app.sock?'],
  ['--listen :3000 -- x', 'did you mean --listen 3000?'],
  ['--listen http://localhost:3000/ -- x', 'did you mean --listen localhost:3000?'],
  ['--listen ::1:3000 -- x', 'did you mean --listen [::1]:3000?'],
  ['--listen udp:5353 -- x', 'did you mean --listen udp:0.0.0.0:5353?'],
  ['--listen 3000 node app.js', 'two dashes'],
  ['--listen -- node app.js', 'graceful-run --listen 3000 3001 -- node app.js'],
])('%s gets the hint: %s', (line, hint) => {
  expect(hintFor(line)).toContain(hint);
});

test('--listen without an address says that it needs one', () => {
  expect(() => parseCommandLine(['--listen', '--', 'node', 'app.js'])).toThrow(
    'cannot start: --listen needs at least one address',
  );
});
