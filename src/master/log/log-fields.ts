/** The fields of a JSON log line. Pure; it must not know the logger. */
import { failureOf } from '../../shared/describe-event.ts';
import type { Failure, Observation } from '../../shared/events.ts';

/**
 * The observation's own fields, but for the pid: in a log line, where the master has its own, the worker's is `worker` and
 * the master's `master`. `time` stays: it is when it happened, not when it was written. The last lines of a worker that has failed are
 * left out: they stand in the same stream, as they were written.
 */
export function fieldsOf(observation: Observation): Readonly<Record<string, unknown>> {
  const { pid, ...rest } = { pid: null, ...observation };
  const fields = { ...rest, ...failureFields(observation) };
  return 'slot' in observation && 'pid' in observation ? { ...fields, worker: pid } : fields;
}

function failureFields(observation: Observation): Readonly<Record<string, unknown>> {
  const failure = failureOf(observation);
  if (failure === null) return {};
  const rest: Partial<Failure> = { ...failure };
  Reflect.deleteProperty(rest, 'stderrTail');
  return { failure: rest };
}
