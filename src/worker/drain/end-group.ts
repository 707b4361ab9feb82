/** Does for a worker without a master what the master does when a worker has ended: kills what is left in its process group. */
import { isNode } from '../../shared/is-node.ts';
import { env } from '../../shared/protocol.ts';
import { hasEnded, readAllProcesses, readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariable } from '../../shared/process-variable.ts';

/**
 * When this process exits. The processes between it and its dead master may have something to do after it: a shell ends by itself then,
 * and a Node.js gets SIGTERM, because a watcher would wait for a change and hold the port.
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
      // It has ended meanwhile, or belongs to another user.
    }
  }
}

/** What a master starts leads a session of its own. Started in another way, a worker may share its group with strangers. */
function isLedByWorker({ pid, group, session }: ProcessStat): boolean {
  if (session !== group) return false;
  const master = readProcessVariable('self', env.master);
  return group === pid || (master !== null && readProcessVariable(group, env.master) === master);
}
