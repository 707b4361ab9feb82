/** What comes in over the control socket, checked. It owns the schemas; it must not know what the requests do. */
import * as z from 'zod/mini';

export interface WaitableRequest {
  /** Answer when it is done, not when it is accepted. */
  readonly wait?: boolean | undefined;
}

const waitable: z.ZodMiniType<WaitableRequest> = z.strictObject({
  wait: z.optional(z.boolean({ error: '`wait` must be true or false' })),
});

/** The request in a body (an empty body is the empty request), or what is wrong with it. */
export function parseWaitable(
  body: string,
): { readonly request: WaitableRequest } | { readonly problem: string } {
  let value: unknown;
  try {
    value = body.trim() === '' ? {} : JSON.parse(body);
  } catch {
    return { problem: 'the body is not JSON' };
  }
  const parsed = waitable.safeParse(value);
  if (parsed.success) return { request: parsed.data };
  return { problem: parsed.error.issues.map(problemOf).join('; ') };
}

const introduction = z.object({ master: z.object({ pid: z.int() }) });

/** The pid in another master's status; null when there is none. */
export function parseMasterPid(body: string): number | null {
  try {
    const parsed = introduction.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data.master.pid : null;
  } catch {
    return null;
  }
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown: ${issue.keys.join(', ')}`;
  return issue.path.length === 0 ? 'the body is not a JSON object' : issue.message;
}
