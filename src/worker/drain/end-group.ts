/** Kills the processes that are left in a worker's process group when the worker ends. Normally the master does that; here it is gone. */
import { isNode } from '../../shared/is-node.ts';
import { env } from '../../shared/protocol.ts';
import { hasEnded, readAllProcesses, readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariable } from '../../shared/process-variable.ts';

/**
 * Kills the other processes of the group when this process exits. Its ancestors up to the dead master are spared, because they may still have work to
 * do: a shell ends by itself then. An ancestor that is a Node.js process gets SIGTERM: a watcher would wait for a change and hold the port.
 */
export function endGroupAtExit(): void {
  process.once('exit', endGroup);
}

function endGroup(): void {
  const self = readProcessStat('self');
  if (self === null || !isLedByWorker(self)) return;
  const ancestors = new Set<number>();
  for (let { parent } = self; parent > 1; parent = readProcessStat(parent)?.parent ?? 0)
    ancestors.add(parent);
  for (const one of readAllProcesses()) {
    const { pid, group } = one;
    if (group !== self.group || pid === self.pid || hasEnded(one)) continue;
    if (ancestors.has(pid) && !isNode(pid)) continue;
    try {
      process.kill(pid, ancestors.has(pid) ? 'SIGTERM' : 'SIGKILL');
    } catch {
      // The process has ended in the meantime, or belongs to another user.
    }
  }
}

/**
 * True if the group belongs to this worker. A process that a master starts leads its own session. A worker started in another way may share its group
 * with unrelated processes.
 */
function isLedByWorker({ pid, group, session }: ProcessStat): boolean {
  if (session !== group) return false;
  const master = readProcessVariable('self', env.master);
  return group === pid || (master !== null && readProcessVariable(group, env.master) === master);
}
