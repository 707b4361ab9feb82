/** What of a program cannot be handed over to another image of the master. Pure. */
import type { Program, Worker } from './lifecycle/state.ts';

/** Says in a few words what the program called `name` is doing that has to be waited for; null if that is nothing. */
export function unfinishedLifecycle(program: Program, name: string): string | null {
  switch (program.phase) {
    case 'starting':
      return `${name} is starting`;
    case 'reloading':
      return `${name} is being reloaded`;
    case 'probation':
      return `generation ${program.current.number} of ${name} is on probation`;
    case 'stopping':
      return `${name} is stopping`;
    case 'idle':
    case 'backoff':
    case 'serving':
    case 'stopped':
    case 'exited':
    case 'failed':
      break;
  }
  if (program.pendingSince !== null) return `${name} is about to be reloaded`;
  return program.workers.some(isBeginning) ? `a worker of ${name} is starting` : null;
}

function isBeginning({ phase, pid, admission }: Worker): boolean {
  return phase === 'starting' || pid === null || (phase === 'ready' && admission === 'asked');
}
