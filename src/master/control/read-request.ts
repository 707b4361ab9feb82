/** Reads data from the control socket: the body of a request, and the description that another master gives of itself. */
import * as z from 'zod/mini';
import { type ReloadWait, reloadWaits } from '../../shared/control-api.ts';
import type { ReloadRequest } from '../../shared/schemas/request-schemas.ts';

/** The state that the request waits for, or null if it does not wait. */
export function waitOf({ wait }: ReloadRequest): ReloadWait | null {
  if (wait === true) return reloadWaits[0];
  return wait === undefined || wait === false ? null : wait;
}

/** Parses the body of a request, or says what is wrong with it. An empty body is the empty object. */
export function parseRequest<Request>(
  shape: z.ZodMiniType<Request>,
  body: string,
): { readonly request: Request } | { readonly problem: string } {
  let value: unknown;
  try {
    value = body.trim() === '' ? {} : JSON.parse(body);
  } catch {
    return { problem: 'the body is not JSON' };
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return { request: parsed.data };
  return { problem: parsed.error.issues.map(problemOf).join('; ') };
}

/** How a master describes itself: by the first fields of a MasterStatus. A master of an older version has only a Status. */
const introduction = z.union([
  z.object({ pid: z.int(), isStopping: z.boolean() }),
  z.object({ state: z.optional(z.string()), master: z.object({ pid: z.int() }) }),
]);

/** The master that answers at a control socket. */
export interface NameHolder {
  readonly pid: number;
  readonly isStopping: boolean;
}

/** How another master describes itself; null if it is not a master. */
export function parseNameHolder(body: string): NameHolder | null {
  try {
    const parsed = introduction.safeParse(JSON.parse(body));
    if (!parsed.success) return null;
    if ('pid' in parsed.data) return parsed.data;
    const { state, master } = parsed.data;
    return { pid: master.pid, isStopping: state === 'stopping' || state === 'stopped' };
  } catch {
    return null;
  }
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown: ${issue.keys.join(', ')}`;
  return issue.path.length === 0 ? 'the body is not a JSON object' : issue.message;
}
