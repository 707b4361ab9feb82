/** Stops a program or the master over the control socket, and waits for the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { ask, promptMs, refused, unanswered } from './ask-master.ts';
import type { StopAccepted } from './control-api.ts';
import { type ControlRequest, followControl } from './control-client.ts';
import { formatDuration } from './durations.ts';
import { GracefulRunError } from './errors.ts';
import { isRunning } from './is-running.ts';
import { readAnswer, stopAccepted } from './schemas/answer-schemas.ts';

/** How long the master may take to end after everything has stopped. */
const exitBoundMs = 10_000;
const lookEveryMs = 20;

/** The route with which the stop is requested. */
export interface StopTarget extends Pick<ControlRequest, 'path' | 'route' | 'signal'> {
  /** True if the master ends with it. */
  readonly endsMaster: boolean;
}

/**
 * Requests the stop. Resolves when it is accepted or, with `wait`, when the program or the master has stopped, and the master's process has ended if
 * that has to end. `action` says what could not be done. @throws GracefulRunError like ask().
 */
export async function askToStop(
  action: string,
  { endsMaster, ...target }: StopTarget,
  wait: boolean,
): Promise<StopAccepted> {
  const request = { ...target, method: 'POST', body: { wait } } as const;
  if (!wait) {
    const { body } = await ask(action, { ...request, timeoutMs: promptMs }, [202]);
    return readAnswer(stopAccepted, body);
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
  // A master that is killed while it stops breaks the answer off. It counts as stopped if it had begun to answer.
  const isGone = endsMaster && answer.body !== '' && target.signal?.aborted !== true;
  if (gap !== null && !isGone) throw unanswered(action, gap);
  if (answer.status !== 202) throw refused(action, answer);
  const accepted = readAnswer(stopAccepted, answer.body);
  if (endsMaster && !(await endsSoon(accepted.pid, target.signal)))
    throw new GracefulRunError(
      'masterUnreachable',
      `cannot wait for the master to exit: its process ${accepted.pid} is still running after ${formatDuration(exitBoundMs)}`,
      { hint: `all workers have exited; look at the master with ps -p ${accepted.pid}` },
    );
  return accepted;
}

/** Resolves to true when the process of a master that stops has ended, or to false if it keeps running. Only its parent is notified, so this polls. */
export async function endsSoon(pid: number, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + exitBoundMs;
  while (isRunning(pid)) {
    if (performance.now() > deadline) return false;
    await delay(lookEveryMs, undefined, signal === undefined ? {} : { signal });
  }
  return true;
}
