/** Stops a process as job control does (SIGSTOP), so that it hears and answers nothing. */
import { onTestFinished } from 'vitest';
import { readProcessStat } from '../../src/shared/process-stat.ts';
import { eventually } from './eventually.ts';
import { kill } from './run-master.ts';

/** Resolves when the process runs no more until SIGCONT, which it gets when the test ends at the latest. */
export async function pauseProcess(pid: number): Promise<void> {
  onTestFinished(() => {
    kill(pid, 'SIGCONT');
  });
  process.kill(pid, 'SIGSTOP');
  await eventually('stopped', () => readProcessStat(pid)?.state === 'T');
}
