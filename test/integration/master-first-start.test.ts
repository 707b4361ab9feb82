// A program that cannot be started ends the master with an exit code that says what kind of failure it was, and one
// clear line that says why. Nothing stays behind.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import {
  app,
  envFileFlag,
  runMaster,
  temporaryFolder,
  type RunningMaster,
  type RunOptions,
} from '../helpers/run-master.ts';

/** One line with the reason, one with a hint, and nothing that only its author understands. */
function expectOneClearLine(master: RunningMaster): void {
  const own = master.lines.filter((line) => line.startsWith('graceful-run: '));
  expect(own).toEqual([expect.stringMatching(/^graceful-run: cannot .+/)]);
  expect(master.lines[master.lines.indexOf(own[0] ?? '') + 1]).toMatch(/^ {2}hint: .+/);
  expect(master.lines.filter((line) => /^\s+at /.test(line))).toEqual([]);
}

async function runInVain(options: RunOptions): Promise<{ master: RunningMaster; code: number | null }> {
  const master = runMaster(options);
  await master.closed;
  const { code } = await master.exited;
  expectOneClearLine(master);
  expect(master.processes()).toEqual([]);
  return { master, code };
}

test('a program that exits ends the master with 1, and its last words are told', async () => {
  const { master, code } = await runInVain({ command: app('exits-before-ready') });
  expect(code).toBe(1);
  const { failure } = await master.waitFor('generationFailed');
  expect(failure).toMatchObject({ reason: 'exited', outcome: { code: 7, signal: null } });
  expect(master.all('stopped')).toMatchObject([{ failure: { reason: 'exited' } }]);
  // What the program wrote is passed on as it was.
  expect(master.lines).toContain('line 1');
  // Nobody holds the port any more.
  await expect(get(await master.port())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('the error of a program that cannot start is in the line about its generation and in the last one, and its trace is there once', async () => {
  const master = runMaster({ command: [process.execPath, '-e', 'syntax error here'] });
  await master.closed;
  const text = master.output;
  const error = "SyntaxError: Unexpected identifier 'error'";
  const messages = text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('"level":"error"'));
  expect(
    messages.filter((line) => line.includes(`"msg":"generation 1 `) && line.includes(error)),
  ).toHaveLength(1);
  expect(text.split(error).length - 1).toBe(3);
  const trace = master.lines.filter((line) => line.startsWith('    at '));
  expect(text.split('    at ').length - 1).toBe(trace.length);
  expect(new Set(trace).size).toBe(trace.length);
});

test('a program that is never ready ends the master with 1, and is killed with what it has started', async () => {
  const { master, code } = await runInVain({ command: app('never-ready'), flags: ['--ready-timeout', '1s'] });
  expect(code).toBe(1);
  expect(master.all('generationFailed')).toMatchObject([{ failure: { reason: 'notReady' } }]);
  expect(master.lines).toContain('not getting ready');
});

test('one of two workers that exits ends the master with 1, and the other one with it', async () => {
  const script = 'if (process.env.GRACEFUL_RUN_WORKER === "1") process.exit(3); setInterval(() => {}, 1e6)';
  const { master, code } = await runInVain({
    command: [process.execPath, '-e', script],
    flags: ['--workers', '2'],
  });
  expect(code).toBe(1);
  expect(master.all('workerKilled')).toMatchObject([{ slot: 0, reason: 'rollback' }]);
});

test('a command that does not exist ends the master with 127, before the port is bound', async () => {
  for (const command of ['no-such-command', './no-such-file']) {
    const { master, code } = await runInVain({ command: [command] });
    expect(code).toBe(127);
    expect(master.events).toEqual([]);
  }
});

test('a command that cannot be executed ends the master with 126, before the port is bound', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'app.js'), '');
  mkdirSync(join(folder, 'directory'));
  writeFileSync(join(folder, 'interpreter-missing'), '#!/no/such/interpreter\n');
  chmodSync(join(folder, 'interpreter-missing'), 0o755);
  for (const name of ['app.js', 'directory', 'interpreter-missing']) {
    const { master, code } = await runInVain({ command: [`./${name}`], cwd: folder });
    expect({ name, code }).toEqual({ name, code: 126 });
    expect(master.events).toEqual([]);
  }
});

test.for<[string, Partial<RunOptions>]>([
  ['an option that does not exist', { flags: ['--prot', '80'] }],
  ['a port that is too great', { flags: ['--port', '70000'] }],
  ['a port that is no number', { flags: ['--port', 'http'] }],
  ['a duration without a unit', { flags: ['--ready-timeout', '30'] }],
  ['a duration of nothing', { flags: ['--ready-timeout', '0s'] }],
  ['a drain timeout that is none', { flags: ['--drain-timeout', 'soon'] }],
  ['no workers', { flags: ['--workers', '0'] }],
  ['a name that is no file name', { flags: ['--name', 'a/b'] }],
  ['a log level that does not exist', { flags: ['--log-level', 'loud'] }],
  ['no command', { command: [] }],
  ['an empty command', { command: [''] }],
  ['a working directory that does not exist', { flags: ['--cwd', '/no/such/folder'] }],
  ['a working directory that is a file', { flags: ['--cwd', process.execPath] }],
  ['an env file that does not exist', { flags: [envFileFlag, '/no/such/file'] }],
  ['a path to watch that does not exist', { flags: ['--watch', '/no/such/path'] }],
])('%s ends the master with 2', async ([, options]) => {
  const { master, code } = await runInVain(options);
  expect(code).toBe(2);
  expect(master.all('workerStarted')).toEqual([]);
});

test('a port that is missing ends the master with 2', async () => {
  const { master, code } = await runInVain({ hasOwnFlags: false });
  expect(code).toBe(2);
  expect(master.events).toEqual([]);
});
