/** Programs and masters as the control API describes them, for tests of what is made of them. */
import type { AnsweringMaster, SilentMaster } from '../../src/ctl/masters/listed-masters.ts';
import type { MasterStatus, Status } from '../../src/shared/control-api.ts';
import { GracefulRunError } from '../../src/shared/errors.ts';
import { statusOf } from './fake-master.ts';

/** A program that serves, unless `facts` say otherwise. */
export function programStatus(program: string, facts: Partial<Status> = {}): Status {
  return { ...statusOf(77), program, isWanted: true, waitsFor: [], master: masterStatus(program), ...facts };
}

export function masterStatus(name: string, file: string | null = null): MasterStatus {
  return { ...statusOf(77).master, name, file };
}

/** A master that has these programs; with a config file if there are several. */
export function answeringMaster(name: string, programs: readonly string[]): AnsweringMaster {
  const master = masterStatus(name, programs.length === 1 ? null : `/etc/${name}.toml`);
  return {
    name,
    path: `/run/graceful-run/${name}.sock`,
    master,
    programs: programs.map((program) => programStatus(program, { master })),
    raw: programs.map((program) => ({ program })),
  };
}

/** A master that is too busy to answer. */
export function silentMaster(name: string): SilentMaster {
  const error = new GracefulRunError(
    'masterUnreachable',
    `cannot reach the master ${name}: no answer within 5s`,
  );
  return { name, path: `/run/graceful-run/${name}.sock`, error };
}
