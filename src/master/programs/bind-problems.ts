/** The problems of programs that cannot be prepared for an update, at their places in the config file. Loaded only if an update has some. */
import type { PlanProblem } from '../../shared/control-api.ts';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import { inFileOrder, keyOfProgram, toProblem } from '../check/finding.ts';
import { inCode } from '../config/options/option-errors.ts';
import type { ProgramPlan } from '../config/plan.ts';
import type { PlanPlaces } from '../config/plan-places.ts';
import { ListenerError } from '../sockets/listener-error.ts';

/** A program that cannot be prepared. */
export interface UnpreparedProgram {
  readonly name: string;
  readonly plan: ProgramPlan;
  readonly error: unknown;
}

interface Origin {
  /** Null: the plan was given by code. */
  readonly file: string | null;
  readonly places: PlanPlaces;
}

/** Adds the problems of these programs to `found`, in the order of the file. */
export function withBindProblems(
  found: readonly PlanProblem[],
  unprepared: readonly UnpreparedProgram[],
  origin: Origin,
): readonly PlanProblem[] {
  return inFileOrder([...found, ...unprepared.map((one) => bindProblem(one, origin))]);
}

/** The place is the address that cannot be bound, or the program if the error is not about an address. */
function bindProblem({ name, plan, error }: UnpreparedProgram, { file, places }: Origin): PlanProblem {
  const what = { message: messageOf(error), hint: error instanceof GracefulRunError ? error.hint : null };
  if (file === null) return { file, line: null, column: null, key: inCode(name), ...what };
  const item =
    error instanceof ListenerError ? plan.listeners.findIndex((one) => one.name === error.listener) : -1;
  const listener = plan.listeners[item];
  if (listener !== undefined)
    return toProblem(
      { program: name, option: listener.type === 'tcp' ? 'port' : 'listen', item, ...what },
      file,
      places,
    );
  const place = places.programs[name]?.[''] ?? { file, line: null, column: null, key: keyOfProgram(name) };
  return { ...place, ...what };
}
