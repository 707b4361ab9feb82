/** Does for a worker without a master what the master does when a worker has ended: kills what is left in its process group. */
import { env } from '../../shared/protocol.ts';
import { hasEnded, readAllProcesses, readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariable } from '../../shared/process-variable.ts';

/** When this process exits. The processes between it and its dead master end by themselves: they may have something to do after it. */
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
    if (group !== self.group || pid === self.pid || ancestors.has(pid) || hasEnded(one)) continue;
    try {
      process.kill(pid, 'SIGKILL');
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
