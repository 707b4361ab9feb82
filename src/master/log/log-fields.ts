/** The fields of a JSON log line. Pure. */
import { failureOf } from '../../shared/describe-failure.ts';
import type { Failure, EventRecord } from '../../shared/events.ts';

/**
 * The event's own fields, but for the pid: in a log line, where the master has its own, the worker's is `worker` and
 * the master's `master`. `time` stays: it is when it happened, not when it was written. The last lines of a worker that has failed are
 * left out: they stand in the same stream, as they were written.
 */
export function fieldsOf(event: EventRecord): Readonly<Record<string, unknown>> {
  const { pid, ...rest } = { pid: null, ...event };
  const fields = { ...rest, ...failureFields(event) };
  return 'slot' in event && 'pid' in event ? { ...fields, worker: pid } : fields;
}

function failureFields(event: EventRecord): Readonly<Record<string, unknown>> {
  const failure = failureOf(event);
  if (failure === null) return {};
  const rest: Partial<Failure> = { ...failure };
  Reflect.deleteProperty(rest, 'stderrTail');
  return { failure: rest };
}
