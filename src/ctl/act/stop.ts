/** `gracefulctl stop` and `shutdown`: ask for a graceful stop and, with --wait, stay until it is done. */
import { setTimeout as delay } from 'node:timers/promises';
import { programRoute, routes } from '../../shared/control-api.ts';
import { followControl } from '../../shared/control-client.ts';
import { formatDuration } from '../../shared/durations.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { isRunning } from '../../shared/is-running.ts';
import { readAnswer, stopAccepted } from '../../shared/schemas/answer-schemas.ts';
import { ask, promptMs, refused, unanswered } from '../masters/ask-master.ts';
import type { FoundMaster } from '../masters/find-masters.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Achieved } from './report.ts';

/** How long the master may take to end after everything has stopped. */
const exitBoundMs = 10_000;
const lookEveryMs = 20;

/**
 * Resolves when the stop is accepted or, with `wait`, when no worker of the program is left. A master that was started for this program
 * alone ends with it.
 */
export async function stop({ master, status }: FoundProgram, wait: boolean): Promise<Achieved> {
  if (master.programs.length === 1 && status.master.file === null)
    return askToStop('stop', master, routes.stop, wait, true);
  return askToStop('stop', master, programRoute(encodeURIComponent(status.program), 'stop'), wait, false);
}

/** Resolves when the stop is accepted or, with `wait`, when the master's process has ended. */
export function shutDown(master: FoundMaster, wait: boolean): Promise<Achieved> {
  return askToStop('shut down', master, routes.stop, wait, true);
}

async function askToStop(
  action: string,
  master: FoundMaster,
  route: string,
  wait: boolean,
  endsMaster: boolean,
): Promise<Achieved> {
  const request = { path: master.path, method: 'POST', route, body: { wait } } as const;
  if (!wait) {
    const { body } = await ask(action, { ...request, timeoutMs: promptMs }, [202]);
    const result = readAnswer(stopAccepted, body);
    return { state: 'accepted', result, text: `stop accepted by the master with pid ${result.pid}` };
  }
  const answer = { status: 0, body: '' };
  const gap = await followControl(
    request,
    (text) => {
      answer.body += text;
      return true;
    },
    (status) => {
      answer.status = status;
    },
  );
  // A master that is killed while it stops breaks the answer off: gone is gone, if it had begun to answer.
  if (gap !== null && (answer.body === '' || !endsMaster)) throw unanswered(action, gap);
  if (answer.status !== 202) throw refused(action, answer);
  const result = readAnswer(stopAccepted, answer.body);
  if (endsMaster) await ended(result.pid);
  return { state: 'stopped', result, text: 'stopped' };
}

/** Resolves when the process has ended. Only its parent is notified, so this polls. */
async function ended(pid: number): Promise<void> {
  const deadline = performance.now() + exitBoundMs;
  while (isRunning(pid)) {
    if (performance.now() > deadline) {
      throw new GracefulRunError(
        'masterUnreachable',
        `cannot see the master end: its process ${pid} is still there after ${formatDuration(exitBoundMs)}`,
        { hint: `all workers have stopped; look at it with ps -p ${pid}` },
      );
    }
    await delay(lookEveryMs);
  }
}
