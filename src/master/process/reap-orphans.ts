/**
 * Adopts the processes that workers and their descendants leave behind, and reaps them when they end. Node.js reaps only those that it has started, and no
 * other process would do it, because this process is their parent, like the first process of a container.
 */
import { readAllProcesses } from '../../shared/process-stat.ts';
import { beginReports, isAwaited, reportEnd } from './child-ends.ts';
import { adoptOrphans, findEndedChild, hasChildren, reap } from '../system-calls/child-calls.ts';
import { loadSpawnCalls } from '../system-calls/spawn-calls.ts';

/**
 * Begins to adopt and reap orphans. Children that Node.js has started are not reaped here: libuv does that, for all of its children that have ended, in
 * the turn of the event loop after their end. So a child that is found in two consecutive turns is not one of them. (The kernel sends SIGCHLD before a
 * process can be found as ended, and libuv has noted it when the call that finds it returns.) Linux only. From then on, processes are started without
 * Node.js (start-child.ts).
 *
 * Returns the children that this process has already: those of a shell, or of an earlier image of this process, that started them and then became this
 * one by exec.
 */
export async function reapOrphans(): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  await adoptOrphans();
  let found: number | null = null;
  let isLooking = false;
  const look = (): void => {
    const ended = findEndedChild();
    // libuv does not know these children.
    if (ended !== null && isAwaited(ended)) reportEnd(ended, reap(ended));
    else if (ended !== null && ended === found) reap(ended);
    found = ended === found ? null : ended;
    if (ended === null) isLooking = false;
    else setImmediate(look);
  };
  const begin = (): void => {
    if (isLooking) return;
    isLooking = true;
    setImmediate(look);
  };
  process.on('SIGCHLD', begin);
  await loadSpawnCalls();
  beginReports();
  if (!hasChildren()) return [];
  // One of them may have ended before.
  begin();
  return readAllProcesses().flatMap(({ pid, parent }) => (parent === process.pid ? [pid] : []));
}
