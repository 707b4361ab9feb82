/**
 * Whether a worker waits for its listener in epoll(7), poll(2) or select(2), as far as /proc shows it. Such a program expects accept(2) to return at once;
 * any other one waits in accept(2) itself. Linux only.
 */
import { fstatSync } from 'node:fs';
import { holdsSocket, list, readText } from '../sockets/address-holder.ts';
import { treeOf } from './find-server.ts';

/** Whether a process of the worker polls a listener. `fds`: the descriptors of the listeners in this process. False if that cannot be seen. */
export function pollsListener(worker: number, fds: readonly number[]): boolean {
  const inodes = fds.map((fd) => fstatSync(fd).ino);
  return treeOf(worker).some(
    ({ pid }) => holdsSocket(pid, inodes) && (hasInEpoll(pid, inodes) || sleepsInPoll(pid)),
  );
}

/** Whether an epoll of the process has one of these sockets. fdinfo shows its descriptors: `tfd: 4 … ino:18e20fa`. */
function hasInEpoll(pid: number, inodes: readonly number[]): boolean {
  const targets = list(`/proc/${pid}/fdinfo`).flatMap((fd) =>
    [...readText(`/proc/${pid}/fdinfo/${fd}`).matchAll(/^tfd:.* ino:([\da-f]+)/gm)].map(([, inode = '']) =>
      Number.parseInt(inode, 16),
    ),
  );
  return inodes.some((inode) => targets.includes(inode));
}

/** Whether a thread of the process sleeps in the kernel's functions for polling: `poll_schedule_timeout`, `do_sys_poll`, `do_select`. */
function sleepsInPoll(pid: number): boolean {
  return list(`/proc/${pid}/task`).some((thread) =>
    /poll_schedule|do_(sys_)?poll|do_select/.test(readText(`/proc/${pid}/task/${thread}/wchan`)),
  );
}
