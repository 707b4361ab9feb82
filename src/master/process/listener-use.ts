/**
 * How a worker waits for the connections of its listener, as far as /proc shows it: in epoll(7), poll(2) or select(2), and then accept(2) has to return at
 * once, or in accept(2) itself. Linux only.
 */
import { holdsSocket, list, readText } from '../sockets/address-holder.ts';
import type { ProcessStat } from '../../shared/process-stat.ts';
import { treeOf } from './find-server.ts';

/**
 * `epoll`: a process of the worker has the listener in an epoll, and none waits in accept(2). `poll`: one of them polls something, which may be the listener;
 * or some poll and others wait. `other`: none polls, or that cannot be seen.
 */
export type ListenerUse = 'epoll' | 'poll' | 'other';

/**
 * The names of programs that never wait in accept(2), and do not set O_NONBLOCK themselves. In a container without CAP_SYS_PTRACE, /proc does not show what
 * the worker processes of nginx do, because they belong to another user.
 */
const pollingPrograms: ReadonlySet<string> = new Set(['nginx']);

/** How the processes of the worker wait for connections. `inode`: that of the listener. */
export function listenerUse(worker: number, inode: number): ListenerUse {
  const holders = treeOf(worker).filter(({ pid }) => holdsSocket(pid, [inode]));
  if (holders.some(({ pid }) => pollingPrograms.has(readText(`/proc/${pid}/comm`).trim()))) return 'epoll';
  const polling = holders.filter(({ pid }) => hasInEpoll(pid, inode));
  if (polling.length > 0) return waitsInAccept(holders, polling) ? 'poll' : 'epoll';
  return holders.some(({ pid }) => sleepsIn(pid, pollFunctions)) ? 'poll' : 'other';
}

/**
 * Whether the program is one whose processes wait in accept(2). A process with an epoll may be in accept(2) by accident: another process has taken the
 * connection for which both were woken. Then that other process is not in accept(2).
 */
function waitsInAccept(holders: readonly ProcessStat[], polling: readonly ProcessStat[]): boolean {
  const waiting = holders.filter(({ pid }) => sleepsIn(pid, acceptFunctions));
  return (
    waiting.some((one) => !polling.includes(one)) || (waiting.length > 0 && waiting.length === polling.length)
  );
}

/** Whether an epoll of the process has this socket. fdinfo shows its descriptors: `tfd: 4 … ino:18e20fa`. */
function hasInEpoll(pid: number, inode: number): boolean {
  return list(`/proc/${pid}/fdinfo`).some((fd) =>
    [...readText(`/proc/${pid}/fdinfo/${fd}`).matchAll(/^tfd:.* ino:([\da-f]+)/gm)].some(
      ([, target = '']) => Number.parseInt(target, 16) === inode,
    ),
  );
}

/** Those of TCP, and of UNIX sockets. */
const acceptFunctions = /_accept$|skb_wait_for_more/;
const pollFunctions = /poll_schedule|do_(sys_)?poll|do_select/;

/** Whether a thread of the process sleeps in such a function of the kernel: `poll_schedule_timeout`, `do_select`, `inet_csk_accept`. */
function sleepsIn(pid: number, functions: RegExp): boolean {
  return list(`/proc/${pid}/task`).some((thread) =>
    functions.test(readText(`/proc/${pid}/task/${thread}/wchan`)),
  );
}
