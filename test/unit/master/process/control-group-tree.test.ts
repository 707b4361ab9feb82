// What is done with control groups, in a folder tree that stands for the hierarchy of cgroups(7) version 2: a machine of its own would be needed for a real one.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type * as controlGroup from '../../../../src/master/process/control-group.ts';
import { temporaryFolder } from '../../../helpers/run-master.ts';

const world = vi.hoisted(() => ({ folder: '', hasSystemd: false, attributes: [] as readonly string[] }));

vi.mock(import('node:fs'), async (original) => {
  const real = await original();
  const readFileSync = (path: string, ...rest: readonly unknown[]): unknown => {
    if (path === '/proc/self/mountinfo') return `30 24 0:26 / ${world.folder} rw - cgroup2 cgroup2 rw\n`;
    if (path === '/proc/self/cgroup') return '0::/shop\n';
    return Reflect.apply(real.readFileSync, undefined, [path, ...rest]);
  };
  const existsSync = (path: string): boolean =>
    path === '/run/systemd/system' ? world.hasSystemd : real.existsSync(path);
  return { ...real, readFileSync, existsSync } as typeof real;
});

vi.mock(import('../../../../src/master/system-calls/extended-attributes.ts'), () => ({
  hasAttribute: (_path: string, name: string) => Promise.resolve(world.attributes.includes(name)),
}));

/** The module looks once where it may make groups: each test has it anew. `group`: the folder of this process's own group. */
async function tree(): Promise<typeof controlGroup & { readonly group: string }> {
  Object.assign(world, { folder: temporaryFolder(), hasSystemd: false, attributes: [] });
  const group = join(world.folder, 'shop');
  mkdirSync(group);
  writeFileSync(join(group, 'cgroup.procs'), '');
  vi.resetModules();
  return { ...(await import('../../../../src/master/process/control-group.ts')), group };
}

function groupOf(name: string): string {
  return `graceful-run.${process.pid}.${name}`;
}

function sleeper(): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child as ChildProcess & { readonly pid: number };
}

test('a worker is moved into a group of its own, which is named after the master and the worker', async () => {
  const { enterGroup, group } = await tree();
  await enterGroup('shop-1.a', 1_234);
  await enterGroup('shop-1.b', 1_235);
  const pidsOf = (name: string): string => readFileSync(join(group, groupOf(name), 'cgroup.procs'), 'utf8');
  expect([pidsOf('shop-1.a'), pidsOf('shop-1.b')]).toEqual(['1234', '1235']);
});

test('the processes in the groups that are meant are killed and named, and those in others live', async () => {
  const { enterGroup, killGroups, group } = await tree();
  const [first, second, other] = [sleeper(), sleeper(), sleeper()];
  await enterGroup('shop-1.a', first.pid);
  await enterGroup('shop-2.a', other.pid);
  // As the kernel lists what the worker has started.
  writeFileSync(join(group, groupOf('shop-1.a'), 'cgroup.procs'), `${first.pid}\n${second.pid}\n`);
  const ended = Promise.all([first, second].map((child) => once(child, 'exit')));
  expect(killGroups((name) => name.startsWith('shop-1.'))).toEqual([first.pid, second.pid]);
  expect(await ended).toEqual([
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
  ]);
  expect(process.kill(other.pid, 0)).toBe(true);
});

test('the kernel kills a whole group at once where it can, and groups of other masters are left alone', async () => {
  const { enterGroup, killGroups, group } = await tree();
  const child = sleeper();
  await enterGroup('shop-1.a', child.pid);
  const kill = join(group, groupOf('shop-1.a'), 'cgroup.kill');
  writeFileSync(kill, '');
  const foreign = join(group, `graceful-run.${process.ppid}.shop-1.a`);
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'cgroup.procs'), `${child.pid}\n`);
  expect(killGroups(() => true)).toEqual([child.pid]);
  expect(readFileSync(kill, 'utf8')).toBe('1');
  // Not by a signal as well.
  expect([child.exitCode, child.signalCode, process.kill(child.pid, 0)]).toEqual([null, null, true]);
});

test('a group in which no process is left is removed, and so are those of masters that are gone', async () => {
  const { enterGroup, removeEmptyGroups, group } = await tree();
  const gone = spawn('true');
  await once(gone, 'exit');
  for (const pid of [gone.pid, process.ppid]) mkdirSync(join(group, `graceful-run.${pid}.x`));
  mkdirSync(join(group, 'other'));
  await enterGroup('a', 1_234);
  await enterGroup('b', 1_235);
  const folders = (): readonly string[] =>
    readdirSync(group)
      .filter((name) => name !== 'cgroup.procs')
      .sort();
  const living = ['other', `graceful-run.${process.ppid}.x`];
  expect(folders()).toEqual([...living, groupOf('a'), groupOf('b')].sort());
  // rmdir(2) of a real group fails while processes are in it, as that of a folder does with files in it.
  rmSync(join(group, groupOf('a'), 'cgroup.procs'));
  removeEmptyGroups();
  expect(folders()).toEqual([...living, groupOf('b')].sort());
});

test.each([
  ['systemd runs and has not delegated the group', true, [], false],
  ['systemd has delegated it', true, ['user.delegate'], true],
  ['an older systemd has delegated it', true, ['trusted.delegate'], true],
  ['no systemd runs', false, [], true],
])('groups are made only where they may be: %s', async (_, hasSystemd, attributes, isMade) => {
  const { enterGroup, killGroups, group } = await tree();
  Object.assign(world, { hasSystemd, attributes });
  await enterGroup('a', 1_234);
  expect(existsSync(join(group, groupOf('a')))).toBe(isMade);
  if (!isMade) expect(killGroups(() => true)).toEqual([]);
});

test('nothing is done where the group of this process cannot be written, and a group that cannot be made fails nothing', async () => {
  const unwritable = await tree();
  rmSync(join(unwritable.group, 'cgroup.procs'));
  await unwritable.enterGroup('a', 1_234);
  expect(readdirSync(unwritable.group)).toEqual([]);
  const full = await tree();
  writeFileSync(join(full.group, groupOf('a')), 'in its place');
  await full.enterGroup('a', 1_234);
  expect(full.killGroups(() => true)).toEqual([]);
});
