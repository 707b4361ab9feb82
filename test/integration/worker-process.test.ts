// Whose process a worker is, and under which limits it runs. Needs root, as CI is: other users cannot change that.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installForAll, type Installed } from '../helpers/install-for-all.ts';
import { get } from '../helpers/plain-client.ts';
import { runMaster, temporaryFolder, type RunningMaster, type RunOptions } from '../helpers/run-master.ts';
import { reportOf, runCheck } from '../helpers/run-check.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failuresOf } from '../helpers/tally.ts';
import { isRoot, mayRun } from '../helpers/required-programs.ts';

let installed: Installed;
beforeAll(() => {
  installed = installForAll();
});
afterAll(() => {
  installed.remove();
});

const nobody = 65_534;
const python = '/usr/bin/python3';

/** By the lines of /proc/PID/status. */
function statusOf(pid: number): Readonly<Record<string, string>> {
  const lines = readFileSync(`/proc/${pid}/status`, 'latin1').split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s+/) as [string, string]));
}

function variablesOf(pid: number): Readonly<Record<string, string>> {
  const words = readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter((word) => word !== '');
  return Object.fromEntries(
    words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
}

function limitOf(pid: number, name: string): readonly (string | undefined)[] {
  const line = readFileSync(`/proc/${pid}/limits`, 'latin1')
    .split('\n')
    .find((one) => one.startsWith(name));
  return line?.slice(name.length).trim().split(/\s+/).slice(0, 2) ?? [];
}

function identityOf(pid: number): unknown {
  const { Uid = '', Gid = '', Groups = '' } = statusOf(pid);
  return { uid: Number(Uid.split('\t')[0]), gid: Number(Gid.split('\t')[0]), groups: Groups.trim() };
}

/** Its own folder is one that every user can enter. */
function run(options: RunOptions & { readonly app: string }): RunningMaster {
  const { app, ...rest } = options;
  const interpreter = app.endsWith('.py') ? python : installed.node;
  return runMaster({
    executable: installed.executable,
    command: [interpreter, installed.appPath(app)],
    cwd: installed.folder,
    ...rest,
  });
}

interface Keys {
  readonly keys: readonly string[];
  readonly app: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly through?: RunOptions['through'];
}

function runFile({ keys, app, env = {}, through = [] }: Keys): RunningMaster {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const interpreter = app.endsWith('.py') ? python : installed.node;
  const file = join(folder, 'graceful.toml');
  const lines = [
    '[program.shop]',
    `command = ["${interpreter}", "${installed.appPath(app)}"]`,
    'port = 0',
    'host = "127.0.0.1"',
  ];
  writeFileSync(file, [...lines, ...keys].join('\n'));
  return runMaster({
    executable: installed.executable,
    hasOwnFlags: false,
    command: [],
    flags: ['-c', file, '--log-format', 'json', '--log-level', 'debug'],
    env,
    through,
  });
}

/** Root without the right to raise a priority, as in many containers. */
const withoutNice = ['setpriv', '--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice'];

describe.runIf(mayRun(isRoot))('as root', () => {
  test('a Node.js worker of another user is gated, migrates, and is the process that was started', async () => {
    const master = run({ app: 'serves.cjs', flags: ['--user', 'nobody'] });
    const port = await master.serving();
    const pid = await master.workerPid(1);
    expect(identityOf(pid)).toEqual({ uid: nobody, gid: nobody, groups: String(nobody) });
    expect(readlinkSync(`/proc/${pid}/exe`)).toBe(readlinkSync('/proc/self/exe'));
    const { workers } = await master.status();
    expect(workers).toMatchObject([
      { pid, servingPid: null, capabilities: { isGated: true, migrates: true, reports: true } },
    ]);
    const own = JSON.parse((await get(port, '/environment')).body) as Record<string, string>;
    expect(own).toMatchObject({
      LISTEN_PID: String(pid),
      HOME: '/nonexistent',
      USER: 'nobody',
      LOGNAME: 'nobody',
      SHELL: '/usr/sbin/nologin',
    });
  });

  test('a reload between two workers of another user loses no request', async () => {
    const master = run({ app: 'serves.cjs', flags: ['--user', 'nobody'] });
    const port = await master.serving();
    const load = startLoad({ port, mode: 'keepAlive', clients: 4 });
    await master.reload(2);
    await master.waitFor('workerExited', { generation: 1 });
    expect(failuresOf(await load.stop())).toBe(0);
    expect(identityOf(await master.workerPid(2))).toMatchObject({ uid: nobody });
  });

  test('a Python worker of another user finds its pid in LISTEN_PID, and can say READY=1', async () => {
    const master = run({
      app: 'notifies.py',
      command: [python, installed.appPath('notifies.py'), 'READY=1'],
      flags: ['--user', 'nobody', '--ready', 'notify'],
    });
    const port = await master.serving();
    const pid = await master.workerPid(1);
    expect((await get(port)).body).toBe(`python ${pid}`);
    expect(identityOf(pid)).toMatchObject({ uid: nobody });
    const path = variablesOf(pid)['NOTIFY_SOCKET'] ?? '';
    expect(statSync(path)).toMatchObject({ uid: nobody });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    // It cannot put anything in the place of the socket.
    expect(statSync(join(path, '..'))).toMatchObject({ uid: 0 });
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o711);
  });

  test('the command that decides whether it is ready runs as the user, too', async () => {
    const master = run({
      app: 'serves.py',
      flags: ['--user', 'nobody', '--ready', `exec:test "$(id -u)" = ${nobody}`],
    });
    await master.serving();
  });

  test('a UNIX socket serves from a worker of another user', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const master = run({
      app: 'serves-at-path.cjs',
      hasOwnFlags: false,
      name: 'app',
      env: { APP_SOCKET: path },
      flags: [
        '--listen',
        `unix:${path}`,
        '--name',
        'app',
        '--log-format',
        'json',
        '--log-level',
        'debug',
        '--user',
        'nobody',
      ],
    });
    await master.waitFor('generationReady', { generation: 1 });
    await master.reload(2);
    expect(identityOf(await master.workerPid(2))).toMatchObject({ uid: nobody });
  });

  test('a user has its supplementary groups, and a group that is named is its primary one', async () => {
    const name = `gr-test-${process.pid}`;
    execFileSync('groupadd', [`${name}-a`]);
    execFileSync('groupadd', [`${name}-b`]);
    execFileSync('useradd', [
      '--system',
      '--no-create-home',
      '--gid',
      `${name}-a`,
      '--groups',
      `${name}-b`,
      name,
    ]);
    try {
      const id = (group: string): number =>
        Number(execFileSync('getent', ['group', group], { encoding: 'utf8' }).split(':')[2]);
      const groupsAs = async (user: string): Promise<{ gid: number; groups: readonly number[] }> => {
        const master = run({ app: 'serves.cjs', flags: ['--user', user] });
        await master.serving();
        const { gid, groups } = identityOf(await master.workerPid(1)) as { gid: number; groups: string };
        await master.finish();
        return {
          gid,
          groups: groups
            .split(' ')
            .map(Number)
            .sort((one, other) => one - other),
        };
      };
      const [a, b] = [id(`${name}-a`), id(`${name}-b`)];
      expect(await groupsAs(name)).toEqual({ gid: a, groups: [a, b].sort((one, other) => one - other) });
      expect(await groupsAs(`${name}:nogroup`)).toMatchObject({ gid: nobody });
    } finally {
      execFileSync('userdel', [name]);
      for (const group of [`${name}-a`, `${name}-b`])
        execFileSync('sh', ['-c', `groupdel ${group} 2>/dev/null || true`]);
    }
  });

  test('a number needs no entry in the user database, if its group is given as well', async () => {
    const master = run({ app: 'serves.cjs', flags: ['--user', '4242:4243'] });
    await master.serving();
    expect(identityOf(await master.workerPid(1))).toEqual({ uid: 4242, gid: 4243, groups: '' });
  });

  test('a worker of another user can open /dev/stdout and /dev/stderr', async () => {
    const log = join(temporaryFolder(), 'log');
    const master = run({
      app: 'serves.cjs',
      flags: ['--user', 'nobody', '--stdout-logfile', log, '--stderr-logfile', log],
      command: [
        ...['sh', '-c', 'echo one > /dev/stdout && echo two > /dev/stderr && exec "$@"', 'sh'],
        ...[installed.node, installed.appPath('serves.cjs')],
      ],
    });
    await master.serving();
    master.signal('SIGTERM');
    await master.exited;
    const lines = readFileSync(log, 'utf8').split('\n');
    expect(lines.filter((line) => line === 'one' || line === 'two').toSorted()).toEqual(['one', 'two']);
  });

  test('what the linker would obey does not reach programs that run as root, and reaches the worker', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const file = join(folder, 'environment');
    writeFileSync(file, 'LD_DEBUG=statistics\nMALLOC_ARENA_MAX=2\n');
    const master = run({ app: 'serves.cjs', flags: ['--user', 'nobody', '--environment-file', file] });
    await master.serving();
    const variables = variablesOf(await master.workerPid(1));
    expect(variables).toMatchObject({ LD_DEBUG: 'statistics', MALLOC_ARENA_MAX: '2' });
    expect(Object.keys(variables).filter((name) => name.includes('HELD'))).toEqual([]);
    // It writes a table for each program that obeys it: none for setpriv.
    expect(master.lines.filter((line) => line.includes('setpriv'))).toEqual([]);
  });

  test.each(['serves.cjs', 'serves.py'])(
    'limits and priorities of the config file are those of %s',
    async (app) => {
      const master = runFile({
        app,
        keys: [
          'user = "nobody"',
          'umask = "027"',
          'nice = 5',
          'no_new_privileges = true',
          'cpu_affinity = "0"',
          'oom_score_adj = 300',
          'limits = { nofile = 4321, core = "0:unlimited" }',
        ],
      });
      await master.waitFor('generationReady', { generation: 1 });
      const pid = await master.workerPid(1);
      const status = statusOf(pid);
      expect(status).toMatchObject({ NoNewPrivs: '1', Umask: '0027', Cpus_allowed_list: '0' });
      expect(identityOf(pid)).toMatchObject({ uid: nobody });
      expect(limitOf(pid, 'Max open files')).toEqual(['4321', '4321']);
      expect(limitOf(pid, 'Max core file size')).toEqual(['0', 'unlimited']);
      expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1').trim()).toBe('300');
      expect(getPriority(pid)).toBe(5);
      expect(variablesOf(pid)).toMatchObject({
        SUPERVISOR_ENABLED: '1',
        SUPERVISOR_PROCESS_NAME: 'shop',
        SUPERVISOR_GROUP_NAME: 'shop',
      });
    },
  );

  test('a nice value that cannot be set fails the start, instead of serving with another one', async () => {
    const master = runFile({ app: 'serves.py', keys: ['nice = -5'], through: withoutNice });
    const { failure } = await master.waitFor('startRefused');
    expect(failure).toMatchObject({
      reason: 'notStarted',
      errorCode: 'startFailed',
      message: expect.stringMatching(/^cannot set nice to -5: .*nice: .*denied$/) as string,
    });
    expect(master.all('workerStarted')).toEqual([]);
  });

  test('a check finds a nice value that cannot be set', async () => {
    const file = join(temporaryFolder(), 'graceful.toml');
    writeFileSync(file, '[program.shop]\ncommand = "sleep 9"\nport = 0\nnice = -5\n');
    const { problems } = reportOf(await runCheck(['--json', '-c', file], { through: withoutNice }));
    expect(problems).toMatchObject([{ key: 'program.shop.nice', line: 4 }]);
  });

  test('root can lower the nice value', async () => {
    const master = runFile({ app: 'serves.py', keys: ['nice = -5'] });
    await master.waitFor('generationReady', { generation: 1 });
    expect(getPriority(await master.workerPid(1))).toBe(-5);
  });

  test('the variables of a user are over those of the master, and under those of the program', async () => {
    const master = runFile({
      app: 'serves.cjs',
      env: { HOME: '/root', USER: 'root', FROM_MASTER: '1' },
      keys: ['user = "nobody"', 'environment = { HOME = "/srv", SUPERVISOR_PROCESS_NAME = "own" }'],
    });
    await master.waitFor('generationReady', { generation: 1 });
    expect(variablesOf(await master.workerPid(1))).toMatchObject({
      HOME: '/srv',
      SUPERVISOR_PROCESS_NAME: 'own',
      SUPERVISOR_GROUP_NAME: 'shop',
      USER: 'nobody',
      FROM_MASTER: '1',
    });
  });

  test('an umask reaches a worker with a variable that a shell would drop', async () => {
    const master = runFile({ app: 'serves.cjs', keys: ['umask = "077"', 'environment = { "a.b" = "1" }'] });
    await master.waitFor('generationReady', { generation: 1 });
    const pid = await master.workerPid(1);
    expect(statusOf(pid)).toMatchObject({ Umask: '0077' });
    expect(variablesOf(pid)).toMatchObject({ 'a.b': '1' });
  });

  test('a check finds what the user cannot reach', async () => {
    const folder = temporaryFolder();
    const hidden = join(folder, 'hidden');
    mkdirSync(hidden);
    writeFileSync(join(hidden, 'app'), '#!/bin/sh\n', { mode: 0o700 });
    const words = ['--json', '--user', 'nobody', '--port', '0', '--cwd', hidden, '--', './app'];
    const { problems } = reportOf(await runCheck(words));
    expect(problems.map(({ key }) => key)).toEqual(expect.arrayContaining(['--cwd', 'command']));
    expect(problems.map(({ message }) => message)).toContain(`user nobody cannot execute ${hidden}/app`);
  });

  test('a check finds limits that cannot be set', async () => {
    const file = join(temporaryFolder(), 'graceful.toml');
    writeFileSync(
      file,
      '[program.shop]\ncommand = "sleep 9"\nport = 0\nlimits = { nofile = "9:8" }\ncpu_affinity = "4000"\n',
    );
    const { problems } = reportOf(await runCheck(['--json', '-c', file]));
    expect(problems.map(({ key, line }) => [key, line])).toEqual([
      ['program.shop.limits', 4],
      ['program.shop.cpu_affinity', 5],
    ]);
  });

  test('a user that does not exist cannot be started', async () => {
    const master = run({ app: 'serves.cjs', flags: ['--user', 'no-such-user'] });
    expect(await master.exited).toMatchObject({ code: 2 });
    expect(master.lines.join('\n')).toContain('there is no user no-such-user');
  });

  test('only root can change the user', async () => {
    const through = ['setpriv', '--reuid=4242', '--regid=4242', '--clear-groups', '--'];
    const runtime = join(installed.folder, 'runtime');
    mkdirSync(runtime, { mode: 0o777 });
    chmodSync(runtime, 0o777);
    const { lines, code } = await runCheck(['--user', 'nobody', '--port', '0', '--', 'true'], {
      through,
      runtime,
      cwd: '/',
      executable: installed.executable,
    });
    expect(code).toBe(2);
    expect(lines[0]).toMatch(/^--user: cannot run as nobody: only root can/);
  });
});
