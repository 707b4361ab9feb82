/**
 * A control group for each worker that is not Node.js, cgroups(7) version 2. The kernel knows which processes are in it, whatever they have done to their
 * environment, their parent and their session, so that a stop also finds a daemon that has cleared its environment. Only if groups can be made: in a
 * container that may write to its cgroups, or in a unit of systemd with `Delegate=yes`. Elsewhere, and on anything but Linux, nothing here does anything.
 *
 * Not for Node.js: while the first process in a while is moved to a group, the kernel lets no process start a thread, for 20 to 30 ms (docs/adr/0032).
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from '../file-promises.ts';
import { join, relative } from 'node:path';
import { hasAttribute } from '../system-calls/extended-attributes.ts';
import { isRunning } from '../../shared/is-running.ts';
import { wasKilled } from './process-tree.ts';
import { sendSignal } from './send-signal.ts';

const prefix = `graceful-run.${process.pid}.`;
const groupOfMaster = /^graceful-run\.(\d+)\./;

/** The extended attributes with which systemd marks groups that others may change: since version 251, and before. All other groups are its own. */
const delegation = ['user.delegate', 'trusted.delegate'];

/** The folder in which this process may make groups, or null if it may not. */
let own: Promise<string | null> | null = null;
/** The same folder once it is known. */
let folder: string | null = null;

/**
 * Puts a worker's process into a group of its own. `tree`: the name of the worker's process tree. Nothing waits for it, so processes that the worker
 * starts earlier are not in the group.
 */
export async function enterGroup(tree: string, pid: number): Promise<void> {
  own ??= findOwn();
  const isFirst = folder === null;
  folder = await own;
  if (folder === null) return;
  if (isFirst) removeStaleGroups();
  try {
    const path = join(folder, prefix + tree);
    mkdirSync(path);
    await writeFile(join(path, 'cgroup.procs'), String(pid));
  } catch {
    // The process has ended, or no more groups are allowed: what the worker leaves behind is found by its environment.
  }
}

/** Kills all processes in the groups of these workers. Returns their pids, without those of processes that `killTree` has killed already. */
export function killGroups(isWanted: (tree: string) => boolean): readonly number[] {
  return groups().flatMap((name) => (isWanted(name.slice(prefix.length)) ? killGroup(name) : []));
}

/** Removes the groups of this master in which no process is left. */
export function removeEmptyGroups(): void {
  for (const name of groups()) remove(name);
}

/** Removes the control groups of masters that were killed. */
function removeStaleGroups(): void {
  for (const name of allGroups()) {
    const master = Number(groupOfMaster.exec(name)?.[1] ?? process.pid);
    if (master !== process.pid && !isRunning(master)) remove(name);
  }
}

function remove(name: string): void {
  try {
    rmdirSync(join(folder ?? '', name));
  } catch {
    // There are processes in the group.
  }
}

/** The control groups of this master. */
function groups(): readonly string[] {
  return allGroups().filter((name) => name.startsWith(prefix));
}

function allGroups(): readonly string[] {
  if (folder === null) return [];
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function killGroup(name: string): readonly number[] {
  const path = join(folder ?? '', name);
  try {
    const listed = readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
    const pids = listed.filter((pid) => !wasKilled(pid));
    // Exists since Linux 5.14. It also reaches groups that the worker itself has made.
    if (existsSync(join(path, 'cgroup.kill'))) writeFileSync(join(path, 'cgroup.kill'), '1');
    else for (const pid of listed) sendSignal(pid, 'SIGKILL');
    return pids;
  } catch {
    // The group was removed in the meantime.
    return [];
  }
}

async function findOwn(): Promise<string | null> {
  const found = process.platform === 'linux' ? findGroup(read('mountinfo'), read('cgroup')) : null;
  if (found === null) return null;
  try {
    for (const path of [found, join(found, 'cgroup.procs')]) accessSync(path, constants.W_OK);
  } catch {
    return null;
  }
  // Whether systemd runs this machine: sd_booted(3).
  if (!existsSync('/run/systemd/system')) return found;
  for (const name of delegation) if (await hasAttribute(found, name)) return found;
  return null;
}

function read(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * The folder of the group that a process is in, by what proc(5) says of its mounts and groups. Null if the hierarchy is not mounted, or not with this
 * group.
 */
export function findGroup(mountinfo: string, cgroup: string): string | null {
  const group = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  // The group is above the root of its namespace (cgroup_namespaces(7)).
  if (group === undefined || group.startsWith('/..')) return null;
  for (const line of mountinfo.split('\n')) {
    const [fields = '', type = ''] = line.split(' - ');
    const [, , , root, point] = fields.split(' ');
    if (!type.startsWith('cgroup2 ') || root === undefined || point === undefined) continue;
    const below = relative(root, group);
    if (!below.startsWith('..')) return join(point, below);
  }
  return null;
}
