/**
 * How a worker waits for the connections of its listener, as far as /proc shows it: in epoll(7), poll(2) or select(2), and then accept(2) has to return at
 * once, or in accept(2) itself. Linux only.
 */
import { fstatSync } from 'node:fs';
import { holdsSocket, list, readText } from '../sockets/address-holder.ts';
import { treeOf } from './find-server.ts';

/**
 * `epoll`: each of the worker's processes that seems to accept has the listener in an epoll. `poll`: one of them polls something, which may be the
 * listener. `other`: none does, or that cannot be seen.
 */
export type ListenerUse = 'epoll' | 'poll' | 'other';

/** How the processes of the worker wait for connections. `fd`: the descriptor of the listener in this process. */
export function listenerUse(worker: number, fd: number): ListenerUse {
  const { ino } = fstatSync(fd);
  const holders = treeOf(worker).filter(({ pid }) => holdsSocket(pid, [ino]));
  const polling = holders.filter(({ pid }) => hasInEpoll(pid, ino));
  // One that has it in an epoll and is in accept(2) has missed the connection for which it was woken.
  const waitsInAccept = holders.some((one) => !polling.includes(one) && sleepsIn(one.pid, /_accept$/));
  if (polling.length > 0) return waitsInAccept ? 'poll' : 'epoll';
  return holders.some(({ pid }) => sleepsIn(pid, pollFunctions)) ? 'poll' : 'other';
}

/** Whether an epoll of the process has this socket. fdinfo shows its descriptors: `tfd: 4 … ino:18e20fa`. */
function hasInEpoll(pid: number, inode: number): boolean {
  return list(`/proc/${pid}/fdinfo`).some((fd) =>
    [...readText(`/proc/${pid}/fdinfo/${fd}`).matchAll(/^tfd:.* ino:([\da-f]+)/gm)].some(
      ([, target = '']) => Number.parseInt(target, 16) === inode,
    ),
  );
}

const pollFunctions = /poll_schedule|do_(sys_)?poll|do_select/;

/** Whether a thread of the process sleeps in such a function of the kernel: `poll_schedule_timeout`, `do_select`, `inet_csk_accept`. */
function sleepsIn(pid: number, functions: RegExp): boolean {
  return list(`/proc/${pid}/task`).some((thread) =>
    functions.test(readText(`/proc/${pid}/task/${thread}/wchan`)),
  );
}
