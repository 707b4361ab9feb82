/**
 * Adopts the processes that workers and their descendants leave behind, and reaps them when they end: Node.js reaps only those that it has started,
 * and nothing else would, because this process is their parent. It is as in a container, in which this process is the first one.
 */
import { readAllProcesses } from '../../shared/process-stat.ts';
import { adoptOrphans, findEndedChild, hasChildren, reap } from '../system-calls/child-calls.ts';

/**
 * From now on. No child that Node.js has started is reaped here: libuv does that, for all of its children that have ended, in the turn of the event loop that
 * follows their end. So a child that is found in two turns after one another is none of them. (The kernel sends SIGCHLD before a
 * process can be found as ended, and libuv has noted it when the call that has found it returns.) Linux only.
 *
 * Answers the children that this process has already: of a shell that started them, and then became this process by exec.
 */
export async function reapOrphans(): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  await adoptOrphans();
  let found: number | null = null;
  let isLooking = false;
  const look = (): void => {
    const ended = findEndedChild();
    if (ended !== null && ended === found) reap(ended);
    found = ended === found ? null : ended;
    if (ended === null) isLooking = false;
    else setImmediate(look);
  };
  process.on('SIGCHLD', () => {
    if (isLooking) return;
    isLooking = true;
    setImmediate(look);
  });
  if (!hasChildren()) return [];
  return readAllProcesses().flatMap(({ pid, parent }) => (parent === process.pid ? [pid] : []));
}
