// What programs start and leave: a stop finds it wherever it has gone, and what ends is reaped. Linux only.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findGroup } from '../../src/master/process/control-group.ts';
import { readAllProcesses } from '../../src/shared/process-stat.ts';
import { EventLog } from '../helpers/event-log.ts';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, appPath, kill, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { mayRun } from '../helpers/required-programs.ts';

const leaves = (what: string): readonly string[] => [
  'python3',
  appPath('leaves-behind').replace(/cjs$/, 'py'),
  what,
];
const executable = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;
const quickly = ['--startsecs', '300ms'];

async function daemonOf(master: RunningMaster, count = 1): Promise<number> {
  const pid = Number((await master.waitForLine('daemon ', count)).split(' ').at(-1));
  onTestFinished(() => {
    kill(pid);
  });
  return pid;
}

const groupFolder = (): string | null =>
  existsSync('/proc/self/cgroup')
    ? findGroup(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'))
    : null;

/** Where systemd runs, it delegates none to a test. */
function canMakeGroups(): boolean {
  const folder = groupFolder();
  if (folder === null || existsSync('/run/systemd/system')) return false;
  const probe = join(folder, `probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return true;
  } catch {
    return false;
  }
}

function zombiesOf(master: number): number {
  return readAllProcesses().filter(({ parent, state }) => parent === master && state === 'Z').length;
}

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  test('a daemon that forked twice into a session of its own ends with the program, and is named', async () => {
    const master = runMaster({ command: leaves('a-daemon'), flags: quickly });
    const daemon = await daemonOf(master);
    await master.serving();
    expect(isAlive(daemon)).toBe(true);
    master.signal('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(daemon)).toBe(false);
    expect(master.all('leftoversKilled')).toMatchObject([{ pids: [daemon] }]);
  });

  test('a daemon of a Node.js worker ends with the program', async () => {
    const master = runMaster({ command: app('leaves-strays') });
    await master.serving();
    master.signal('SIGTERM');
    await master.exited;
    const [left] = master.all('leftoversKilled');
    expect(left?.pids).toHaveLength(1);
    expect(left?.pids.some(isAlive)).toBe(false);
  });

  test('a daemon of a worker that a reload has ended lives on until the program stops', async () => {
    const master = runMaster({ command: leaves('a-daemon'), flags: quickly });
    await master.serving();
    const first = await daemonOf(master);
    await master.reload(2);
    await master.waitFor('workerExited', { generation: 1 });
    const second = await daemonOf(master, 2);
    expect(isAlive(first)).toBe(true);
    master.signal('SIGTERM');
    await master.exited;
    expect([first, second].map(isAlive)).toEqual([false, false]);
  });

  test('a worker that is killed takes its daemon along', async () => {
    const flags = [...quickly, '--stop-signal', 'KILL'];
    const master = runMaster({ command: leaves('a-daemon'), flags });
    await master.serving();
    const daemon = await daemonOf(master);
    master.signal('SIGTERM');
    await master.exited;
    expect(isAlive(daemon)).toBe(false);
    // It was killed with the worker, and not only when the program stopped.
    expect(master.all('leftoversKilled')).toEqual([]);
  });

  test('a daemon that has cleared its environment ends with the master at the latest', async () => {
    const master = runMaster({ command: leaves('a-daemon-without-environment'), flags: quickly });
    const daemon = await daemonOf(master);
    await master.serving();
    master.signal('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(daemon)).toBe(false);
  });

  test('what a shell has started before it became graceful-run lives on', async () => {
    const through = ['sh', '-c', 'sleep 1000 & echo "before $!" >&2; exec "$@"', 'sh'];
    const master = runMaster({ through });
    const before = Number((await master.waitForLine('before')).split(' ')[1]);
    onTestFinished(() => {
      kill(before);
    });
    await master.serving();
    master.signal('SIGTERM');
    await master.exited;
    expect(isAlive(before)).toBe(true);
    kill(before);
  });

  // Without control groups, such a daemon cannot be told from that of another program until the master ends.
  test.for(['a-daemon', 'a-daemon-without-environment-in-the-group'])(
    'a stop of one program ends what it has left behind (%s), and leaves what another one has started alone',
    async (kind, { skip }) => {
      if (kind === 'a-daemon-without-environment-in-the-group')
        skip(!mayRun(canMakeGroups()), 'this process may not make control groups of version 2');
      const file = join(temporaryFolder(), 'graceful.toml');
      const program = (name: string): string =>
        `[program.${name}]\ncommand = ${JSON.stringify(leaves(kind))}\nport = 0\nhost = "127.0.0.1"\nstartsecs = "300ms"\n`;
      writeFileSync(file, `[master]\nname = "host"\n${program('one')}${program('two')}`);
      const master = runMaster({
        hasOwnFlags: false,
        command: [],
        name: 'host',
        flags: ['-c', file, '--log-format', 'json', '--log-level', 'debug'],
      });
      const daemons = [await daemonOf(master), await daemonOf(master, 2)];
      await eventually('both serve', () => master.all('generationReady').length === 2);
      const { code } = await gracefulctl(['stop', 'one', '--wait'], { XDG_RUNTIME_DIR: master.runtime });
      expect(code).toBe(0);
      const [left] = master.all('leftoversKilled');
      expect(left?.pids).toHaveLength(1);
      const [ended = 0] = left?.pids ?? [];
      expect(daemons).toContain(ended);
      await eventually('it has ended', () => !isAlive(ended));
      expect(daemons.filter(isAlive)).toHaveLength(1);
    },
  );

  test('processes that lose their parent are reaped when they end', async () => {
    const master = runMaster({ command: leaves('zombies'), flags: quickly });
    await master.waitForLine('made zombies');
    await master.serving();
    await eventually('none is left', () => zombiesOf(master.pid) === 0);
    await master.reload(2);
    await master.waitFor('workerExited', { generation: 1 });
    await eventually('none is left', () => zombiesOf(master.pid) === 0);
  });

  const mayUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
  test.runIf(mayRun(mayUnshare))('as the first process of a container, it reaps too', async () => {
    // Not runMaster: it would send signals to the pid that the master has in its container.
    const words = [
      '--port',
      '0',
      '--host',
      '127.0.0.1',
      '--no-control',
      '--startsecs',
      '300ms',
      '--',
      ...leaves('zombies'),
    ];
    const namespace = ['--pid', '--fork', '--mount-proc', '--kill-child'];
    const outside = spawn('unshare', [...namespace, process.execPath, executable, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(outside, 'close');
    onTestFinished(async () => {
      kill(outside.pid ?? 0);
      await ended;
    });
    const log = new EventLog();
    log.read(outside.stderr);
    await log.waitForLine('made zombies');
    await log.waitFor('generationReady', { generation: 1 });
    const [first] = readAllProcesses().filter(({ parent }) => parent === outside.pid);
    await eventually('none is left', () => first !== undefined && zombiesOf(first.pid) === 0);
    // Not at once, so that it leaves no control group behind.
    process.kill(first?.pid ?? 0, 'SIGTERM');
    await ended;
  });
});
