/** The fields of a JSON log line. Pure. */
import { failureOf } from '../../shared/describe-failure.ts';
import type { Failure, EventRecord } from '../../shared/events.ts';

/**
 * The fields of a log line for an event. The worker's pid is called `worker`, because a log line also has the master's pid (`master`). `time` is when the
 * event happened, not when it was written. The last lines of a failed worker are left out, because the same stream has them already, as they were written.
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
