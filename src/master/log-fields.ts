/** The fields of a JSON log line. Pure; it must not know the logger. */
import type { Observation } from '../shared/facts.ts';

/**
 * The observation's own fields, but for the pid: in a log line, where the master has its own, the worker's is `worker` and
 * the master's `master`. `time` stays: it is when it happened, not when it was written.
 */
export function fieldsOf(observation: Observation): Readonly<Record<string, unknown>> {
  if (!('pid' in observation)) return observation;
  const { pid, ...fields } = observation;
  return 'slot' in observation ? { ...fields, worker: pid } : fields;
}
