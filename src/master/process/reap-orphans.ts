/**
 * Reaps every child that Node.js did not start and so does not reap: what workers and their descendants leave behind, which this process adopts like the first
 * process of a container; workers inherited from its previous image; processes of start-child.ts.
 */
import { readAllProcesses } from '../../shared/process-stat.ts';
import { isAwaited, reportEnd } from './child-ends.ts';
import { adoptOrphans, findEndedChild, hasChildren, reap } from '../system-calls/child-calls.ts';
import { loadSpawnCalls } from '../system-calls/spawn-calls.ts';

/**
 * Begins to adopt orphans, and to reap. Children that are awaited (child-ends.ts) are reaped at once. Children that Node.js has started are not reaped here: libuv
 * does that, for all of its children that have ended, in the turn of the event loop after their end. So any other child is reaped if it is found in two
 * consecutive turns. (The kernel sends SIGCHLD before a process can be found as ended, and libuv has noted it when the call that finds it returns.) Linux only.
 * From then on, start-child.ts uses posix_spawn(3).
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
    // An awaited child is not one of libuv's.
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
  if (!hasChildren()) return [];
  // One of them may have ended before.
  begin();
  return readAllProcesses().flatMap(({ pid, parent }) => (parent === process.pid ? [pid] : []));
}
