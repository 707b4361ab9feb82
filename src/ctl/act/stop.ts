/** `gracefulctl stop` and `shutdown`: request a graceful stop and, with --wait, wait until it is complete. */
import { askToStop, endsSoon } from '../../shared/ask-to-stop.ts';
import { programRoute, routes } from '../../shared/control-api.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { printable } from '../../shared/printable.ts';
import type { AnsweringMaster } from '../masters/listed-masters.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Achieved } from './command-report.ts';

/**
 * Resolves when the stop is accepted or, with `wait`, when no worker of the program is left. A master that was started for this program
 * alone ends with it.
 */
export async function stop({ master, status, label }: FoundProgram, wait: boolean): Promise<Achieved> {
  if (master.programs.length === 1 && status.master.file === null)
    return stopAt('stop', master, routes.stop, wait, true);
  const route = programRoute(encodeURIComponent(status.program), 'stop');
  const achieved = await stopAt('stop', master, route, wait, false);
  // The same command again, with --wait, would be the second request, which kills the workers.
  const text = `stop accepted; to see whether it has stopped: gracefulctl status ${printable(label)}`;
  return wait ? achieved : { ...achieved, text };
}

/** Resolves when the stop is accepted or, with `wait`, when the master's process has ended. */
export function shutDown(master: AnsweringMaster, wait: boolean): Promise<Achieved> {
  return stopAt('shut down', master, routes.stop, wait, true);
}

async function stopAt(
  action: string,
  { path, master: { pid } }: AnsweringMaster,
  route: string,
  wait: boolean,
  endsMaster: boolean,
): Promise<Achieved> {
  try {
    const result = await askToStop(action, { path, route, endsMaster }, wait);
    return wait
      ? { state: 'stopped', result, text: 'stopped' }
      : { state: 'accepted', result, text: `stop accepted by the master with pid ${result.pid}` };
  } catch (error) {
    // The master has closed its control socket since it was found, so it is stopping already.
    const isEnding = endsMaster && error instanceof GracefulRunError && error.code === 'masterNotFound';
    if (!isEnding || (wait && !(await endsSoon(pid)))) throw error;
    return wait
      ? { state: 'stopped', result: { pid }, text: 'stopped' }
      : { state: 'accepted', result: { pid }, text: `the master with pid ${pid} had already stopped` };
  }
}
