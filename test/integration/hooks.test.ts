// Hooks as a real master runs them.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { begin } from '../helpers/plain-client.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { app, kill, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

function runWithHooks(
  hooks: Readonly<Record<string, string>>,
  { keys = [], command = app('serves') }: { keys?: readonly string[]; command?: readonly string[] } = {},
): { readonly master: RunningMaster; readonly folder: string } {
  const folder = temporaryFolder();
  const lines = Object.entries(hooks).map(([name, hook]) => `${name} = ${JSON.stringify(hook)}`);
  writeFileSync(
    join(folder, 'shop.toml'),
    [
      '[program.shop]',
      `command = ${JSON.stringify(command)}`,
      'listen = ["127.0.0.1:0"]',
      'probation = "0s"',
      ...keys,
      '[program.shop.hooks]',
      ...lines,
    ].join('\n'),
  );
  const flags = ['-c', 'shop.toml', '--log-format', 'json', '--log-level', 'debug'];
  const master = runMaster({ name: 'shop', hasOwnFlags: false, flags, command: [], cwd: folder });
  return { master, folder };
}

function linesOf(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

const names = ['pre_start', 'post_ready', 'pre_drain', 'post_stop', 'on_failure', 'on_rollback', 'on_fatal'];

test('each hook is run at its time, with the event on stdin and in the environment', async () => {
  const each = Object.fromEntries(
    names.map((name) => [
      name,
      'echo "$GRACEFUL_RUN_HOOK $GRACEFUL_RUN_EVENT $GRACEFUL_RUN_PROGRAM $(cat)" >> told',
    ]),
  );
  const { master, folder } = runWithHooks(each);
  await master.serving();
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  kill(await master.workerPid(2));
  await master.waitFor('workerFailed', { generation: 2 });
  await eventually(
    'a new worker accepts',
    () => master.all('workerAdmitted', ({ generation }) => generation === 2).length === 2,
  );
  master.signal('SIGTERM');
  await master.exited;
  const told = linesOf(join(folder, 'told')).map((line) => line.split(' '));
  expect(told.map((words) => words.slice(0, 3).join(' '))).toEqual([
    'pre_start generationStarted shop',
    'post_ready generationReady shop',
    'pre_start generationStarted shop',
    'post_ready generationReady shop',
    'pre_drain workerDraining shop',
    'on_failure workerFailed shop',
    'pre_drain workerDraining shop',
    'post_stop stopped shop',
  ]);
  const events = told.map(
    (words) => JSON.parse(words.slice(3).join(' ')) as Readonly<Record<string, unknown>>,
  );
  expect(events[1]).toMatchObject({ event: 'generationReady', generation: 1, program: 'shop' });
  expect(events[5]).toMatchObject({ event: 'workerFailed', failure: { outcome: { signal: 'SIGKILL' } } });
});

test('GRACEFUL_RUN_EVENT_JSON is the line that the hook gets on stdin, to the byte', async () => {
  const each = names.map((name): readonly [string, string] => [
    name,
    `cat > "$GRACEFUL_RUN_HOOK.read"; printf %s "$GRACEFUL_RUN_EVENT_JSON" > "$GRACEFUL_RUN_HOOK.named"`,
  ]);
  // What it writes is in the events, with characters that a shell or JSON would change.
  const command = [
    process.execPath,
    '-e',
    `process.stderr.write('ä € "quoted" \\\\ $HOME \\t\\n'); process.exitCode = 1;`,
  ];
  const { master, folder } = runWithHooks(Object.fromEntries(each), {
    command,
    keys: ['startretries = 0'],
  });
  const told = ['pre_start', 'on_failure', 'on_fatal'] as const;
  for (const hook of told) await master.waitFor('hookEnded', { hook, problem: null });
  for (const hook of told) {
    const [read, named] = ['read', 'named'].map((ending) =>
      readFileSync(join(folder, `${hook}.${ending}`), 'utf8'),
    );
    expect(read).toBe(`${named ?? ''}\n`);
    expect(JSON.parse(named ?? '')).toMatchObject({ program: 'shop' });
  }
  expect(readFileSync(join(folder, 'on_failure.read'), 'utf8')).toContain('quoted');
});

test('no worker is started before pre_start has ended, and a worker that replaces a crashed one does not wait for it', async () => {
  const { master, folder } = runWithHooks({
    pre_start: 'echo begun >> told; while [ ! -e go ]; do sleep 0.02; done; echo prepared',
  });
  await eventually('the hook runs', () => linesOf(join(folder, 'told')).length === 1);
  expect(master.all('workerReady')).toEqual([]);
  expect(master.processes().length).toBeGreaterThan(0);
  writeFileSync(join(folder, 'go'), '');
  await master.serving();
  expect(master.all('hookEnded')).toMatchObject([{ hook: 'pre_start', problem: null, output: ['prepared'] }]);
  kill(await master.workerPid(1));
  await eventually('it is replaced', () => master.all('workerReady').length === 2);
  expect(linesOf(join(folder, 'told'))).toEqual(['begun']);
});

test('a pre_start that fails is a failed reload, with its output; the old workers serve on', async () => {
  const { master, folder } = runWithHooks({
    pre_start: 'echo "migrating"; if [ -e bad ]; then echo "no such table" >&2; exit 3; fi',
  });
  await master.serving();
  writeFileSync(join(folder, 'bad'), '');
  master.signal('SIGHUP');
  const { failure, serving } = await master.waitFor('generationFailed', { generation: 2 });
  expect(serving).toBe(1);
  expect(failure).toMatchObject({
    reason: 'notStarted',
    errorCode: 'hookFailed',
    outcome: { code: 3 },
  });
  const output = ['migrating', 'no such table'];
  expect(master.all('hookEnded').at(-1)).toMatchObject({ hook: 'pre_start', output });
  expect((await master.status()).lastReload?.failure?.stderrTail).toEqual(output);
  expect(master.all('workerStarted', ({ generation, pid }) => generation === 2 && pid !== null)).toEqual([]);
});

test('a pre_start that fails at the first start is a failed start: nothing is started, and the program has failed, with its output', async () => {
  const { master } = runWithHooks(
    { pre_start: 'echo "migrating"; echo "no such table" >&2; exit 3', on_fatal: 'cat > fatal' },
    { keys: ['startretries = 0', 'on_fatal = "stay"'] },
  );
  const output = ['migrating', 'no such table'];
  const failed = { reason: 'notStarted', errorCode: 'hookFailed', outcome: { code: 3 } };
  expect(await master.waitFor('stopped')).toMatchObject({ failure: failed });
  expect(master.all('hookEnded', { hook: 'pre_start' })).toMatchObject([{ output }]);
  expect(master.all('generationFailed')).toMatchObject([{ generation: 1, serving: null, failure: failed }]);
  expect(await master.status()).toMatchObject({
    state: 'FATAL',
    phase: 'failed',
    isWanted: true,
    workers: [],
    lastReload: { failure: { ...failed, stderrTail: output } },
  });
  expect(master.all('workerStarted', ({ pid }) => pid !== null)).toEqual([]);
  await master.waitFor('hookEnded', { hook: 'on_fatal' });
});

test('a hook that takes too long is killed with everything that it has started', async () => {
  const { master, folder } = runWithHooks(
    { post_ready: 'sleep 1000 & echo $! > pid; wait' },
    { keys: ['hook_timeout = "1s"'] },
  );
  const ended = await master.waitFor('hookEnded', { hook: 'post_ready' });
  expect(ended.problem).toContain('killed after 1s');
  const pid = Number(linesOf(join(folder, 'pid'))[0]);
  await eventually('what it has started is gone', () => !isAlive(pid));
});

test('a pre_start that takes longer than ready_timeout leaves the workers their whole time', async () => {
  const { master } = runWithHooks({ pre_start: 'sleep 1.5' }, { keys: ['ready_timeout = "1s"'] });
  await master.serving();
  expect(master.all('generationFailed')).toEqual([]);
});

test('a stop while pre_start runs does not wait for it', async () => {
  const { master } = runWithHooks({ pre_start: 'sleep 1000' }, { keys: ['hook_timeout = "20s"'] });
  await master.waitFor('generationStarted');
  await eventually('the hook runs', () => master.processes().length > 1);
  const askedAt = performance.now();
  master.signal('SIGTERM');
  await master.exited;
  expect(performance.now() - askedAt).toBeLessThan(10_000);
});

test('a slow hook holds up neither a reload nor a drain', async () => {
  const { master } = runWithHooks(
    { post_ready: 'sleep 3', pre_drain: 'sleep 3' },
    { keys: ['hook_timeout = "20s"'] },
  );
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  kill(await master.workerPid(1), 'SIGUSR2');
  expect((await answer).status).toBe(200);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(master.all('hookEnded')).toEqual([]);
});

test('a hook can open /dev/stderr', async () => {
  const { master } = runWithHooks({ pre_start: 'echo no database > /dev/stderr; exit 3' });
  const { output } = await master.waitFor('hookEnded', { hook: 'pre_start' });
  expect(output).toEqual(['no database']);
});

test('on_rollback is run once for a release that crashes on probation, with the event that says why', async () => {
  const { master, folder } = runWithHooks(
    {
      on_rollback: 'echo "$GRACEFUL_RUN_HOOK $GRACEFUL_RUN_EVENT $(cat)" >> told',
      on_failure: 'echo "$GRACEFUL_RUN_HOOK $GRACEFUL_RUN_EVENT" >> told',
    },
    { keys: ['workers = 2', 'canary = 1', 'canary_time = "60s"'] },
  );
  await master.serving();
  master.signal('SIGHUP');
  await master.waitFor('rolloutAdvanced', { generation: 2 });
  kill(await master.workerPid(2));
  await master.waitFor('hookEnded', { hook: 'on_rollback', problem: null });
  const told = linesOf(join(folder, 'told')).map((line) => line.split(' '));
  expect(told.map((words) => words.slice(0, 2))).toEqual([['on_rollback', 'generationRolledBack']]);
  expect(JSON.parse(told[0]?.slice(2).join(' ') ?? '')).toMatchObject({
    event: 'generationRolledBack',
    program: 'shop',
    generation: 2,
    to: 1,
    failure: { outcome: { signal: 'SIGKILL' } },
  });
});

test('on_fatal is run for a program that is given up, and the master waits for it before it ends', async () => {
  const { master, folder } = runWithHooks(
    { on_fatal: 'sleep 0.2; echo "$GRACEFUL_RUN_HOOK $GRACEFUL_RUN_EVENT $(cat)" >> told' },
    { keys: ['startretries = 0', 'on_fatal = "exit"'], command: app('exits-before-ready') },
  );
  expect(await master.exited).toMatchObject({ code: 7 });
  const told = linesOf(join(folder, 'told')).map((line) => line.split(' '));
  expect(told.map((words) => words.slice(0, 2))).toEqual([['on_fatal', 'stopped']]);
  expect(JSON.parse(told[0]?.slice(2).join(' ') ?? '')).toMatchObject({
    event: 'stopped',
    program: 'shop',
    failure: { reason: 'exited', outcome: { code: 7 } },
  });
});

test('on_fatal is run for a program that crashes again and again, while another one of the master serves on', async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'town.toml'),
    [
      '[program.shop]',
      `command = ${JSON.stringify(app('crashes-when-told'))}`,
      'listen = ["127.0.0.1:0"]',
      'crash_loop = "1 in 1m"',
      '[program.shop.hooks]',
      'on_fatal = "echo $GRACEFUL_RUN_PROGRAM >> told"',
      '[program.mail]',
      `command = ${JSON.stringify(app('serves'))}`,
      'listen = ["127.0.0.1:0"]',
    ].join('\n'),
  );
  const flags = ['-c', 'town.toml', '--log-format', 'json', '--log-level', 'debug'];
  const master = runMaster({ name: 'town', hasOwnFlags: false, flags, command: [], cwd: folder });
  const isOf = (program: string) => (event: object) => Reflect.get(event, 'program') === program;
  await master.waitFor('generationReady', isOf('shop'));
  await master.waitFor('generationReady', isOf('mail'));
  const { pid } = await master.waitFor('workerStarted', isOf('shop'));
  kill(pid ?? -1);
  await master.waitFor('hookEnded', { hook: 'on_fatal', problem: null });
  expect(linesOf(join(folder, 'told'))).toEqual(['shop']);
  expect(master.all('stopped', isOf('mail'))).toEqual([]);
});

test('what a worker has written may be longer than a variable can be: the hook is run, and has it on stdin', async () => {
  const command = [
    process.execPath,
    '-e',
    'for (let line = 0; line < 20; line++) process.stderr.write("\\x01".repeat(2000) + "\\n"); process.exitCode = 1;',
  ];
  const { master, folder } = runWithHooks(
    { on_failure: 'echo "$(wc -c) $(printf %s "$GRACEFUL_RUN_EVENT_JSON" | wc -c)" >> told' },
    { command, keys: ['startretries = 0'] },
  );
  await master.waitFor('hookEnded', { hook: 'on_failure', problem: null });
  const [read = 0, named] = (linesOf(join(folder, 'told'))[0] ?? '').split(' ').map(Number);
  expect(read).toBeGreaterThan(128 * 1024);
  expect(named).toBe(0);
  expect((await master.status()).phase).toBe('failed');
});

test('a hook that cannot be started has failed, and so has the reload that waits for it', async () => {
  const { master, folder } = runWithHooks(
    { pre_start: 'true', on_failure: 'true' },
    { keys: ['directory = "app"', 'startretries = 0'] },
  );
  // Not there yet: the start fails.
  await master.waitFor('stopped');
  mkdirSync(join(folder, 'app'));
  master.signal('SIGHUP');
  await master.waitFor('generationReady');
  renameSync(join(folder, 'app'), join(folder, 'moved'));
  writeFileSync(join(folder, 'app'), '');
  const before = master.all('generationFailed').length;
  master.signal('SIGHUP');
  await eventually('the reload has failed', () => master.all('generationFailed').length > before);
  expect(master.all('hookEnded').at(-1)?.problem).toContain('ENOTDIR');
  expect((await master.status()).phase).toBe('serving');
});
