/** `graceful-run --check` as a command: its output, its signals and its exit code. */
import { constants } from 'node:os';
import type { PlanProblem } from '../../shared/control-api.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { refusePlan, runCheck, type CheckOptions } from '../check/run-check.ts';
import { PlanInvalid } from '../config/plan-invalid.ts';
import type { PlacedPlan } from '../config/plan-places.ts';
import { workingDirectory } from '../config/working-directory.ts';
import { system } from '../process/system.ts';
import { exitCodes } from './choose-exit-code.ts';
import type { CheckRequest } from './parse-command-line.ts';

/** Runs `graceful-run --check` and returns its exit code. `read` returns the plan, and throws GracefulRunError if it is not valid. */
export async function check(request: CheckRequest, read: () => Promise<PlacedPlan>): Promise<number> {
  const signals: number[] = [];
  const options: CheckOptions = {
    ...request,
    environment: process.env,
    here: workingDirectory(process.env),
    platform: system,
    write: (text) => process.stdout.write(text),
    onInterrupt: (interrupt) => {
      for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const)
        process.on(signal, () => {
          signals.push(constants.signals[signal]);
          interrupt();
        });
    },
  };
  let plan: PlacedPlan;
  try {
    plan = await read();
  } catch (error) {
    if (!(error instanceof GracefulRunError)) throw error;
    refusePlan(problemsOf(error), options);
    return exitCodes.usage;
  }
  const isGood = await runCheck(plan, options);
  // The code that a shell reports for a process that a signal has ended.
  const [first] = signals;
  if (first !== undefined) return 128 + first;
  return isGood === true ? exitCodes.stopped : exitCodes.usage;
}

/** The problems that an error reports: for a file, everything that is wrong with it; for the command line, the first problem. */
function problemsOf(error: GracefulRunError): readonly PlanProblem[] {
  if (error instanceof PlanInvalid) return error.problems;
  return [{ file: null, line: null, column: null, key: null, message: error.message, hint: error.hint }];
}
