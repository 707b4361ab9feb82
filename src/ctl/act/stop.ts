/** `gracefulctl stop` and `shutdown`: ask for a graceful stop and, with --wait, stay until it is done. */
import { askToStop } from '../../shared/ask-to-stop.ts';
import { programRoute, routes } from '../../shared/control-api.ts';
import type { FoundMaster } from '../masters/find-masters.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Achieved } from './report.ts';

/**
 * Resolves when the stop is accepted or, with `wait`, when no worker of the program is left. A master that was started for this program
 * alone ends with it.
 */
export async function stop({ master, status }: FoundProgram, wait: boolean): Promise<Achieved> {
  if (master.programs.length === 1 && status.master.file === null)
    return stopAt('stop', master, routes.stop, wait, true);
  return stopAt('stop', master, programRoute(encodeURIComponent(status.program), 'stop'), wait, false);
}

/** Resolves when the stop is accepted or, with `wait`, when the master's process has ended. */
export function shutDown(master: FoundMaster, wait: boolean): Promise<Achieved> {
  return stopAt('shut down', master, routes.stop, wait, true);
}

async function stopAt(
  action: string,
  master: FoundMaster,
  route: string,
  wait: boolean,
  endsMaster: boolean,
): Promise<Achieved> {
  const result = await askToStop(action, { path: master.path, route, endsMaster }, wait);
  return wait
    ? { state: 'stopped', result, text: 'stopped' }
    : { state: 'accepted', result, text: `stop accepted by the master with pid ${result.pid}` };
}
