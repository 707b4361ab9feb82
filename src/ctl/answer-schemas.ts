/**
 * What the master may answer, checked before it is used: the other side may be of another version, or no master at all.
 * It owns the schemas of src/shared/control-api.ts.
 */
import * as z from 'zod/mini';
import type {
  ErrorAnswer,
  ReloadAccepted,
  ReloadResult,
  Scaled,
  Status,
  StopAccepted,
  WorkerCrash,
} from '../shared/control-api.ts';
import { GracefulRunError } from '../shared/errors.ts';
import { failure, release, workerPhase } from './event-schemas.ts';

export const reloadResult: z.ZodMiniType<ReloadResult> = z.object({
  generation: z.int(),
  ok: z.boolean(),
  endedAt: z.number(),
  durationMs: z.number(),
  failure: z.nullable(failure),
  release: z.nullable(release),
  probationMs: z.number(),
  serving: z.nullable(z.int()),
  rolledBackTo: z.nullable(z.int()),
});

const workerCrash: z.ZodMiniType<WorkerCrash> = z.object({
  generation: z.int(),
  slot: z.int(),
  pid: z.nullable(z.int()),
  endedAt: z.number(),
  failure,
});

export const status: z.ZodMiniType<Status> = z.object({
  program: z.string(),
  state: z.enum(['idle', 'starting', 'serving', 'reloading', 'restarting', 'stopping', 'stopped']),
  probation: z.nullable(z.object({ previous: z.int(), remainingMs: z.number() })),
  generation: z.nullable(z.int()),
  release: z.nullable(release),
  command: z.array(z.string()),
  isWanted: z._default(z.boolean(), true),
  waitsFor: z._default(z.array(z.string()), []),
  master: z.object({
    // A master of an older version has not all of them.
    name: z._default(z.string(), ''),
    pid: z.int(),
    version: z.string(),
    uptimeMs: z.number(),
    isStopping: z._default(z.boolean(), false),
    logId: z._default(z.nullable(z.string()), null),
    file: z._default(z.nullable(z.string()), null),
  }),
  listeners: z.array(z.object({ name: z.string(), host: z.string(), port: z.int() })),
  workersWanted: z.int(),
  workers: z.array(
    z.object({
      generation: z.int(),
      slot: z.int(),
      pid: z.nullable(z.int()),
      state: workerPhase,
      isAccepting: z.boolean(),
      inStateMs: z.number(),
      uptimeMs: z.number(),
      otherRelease: z.nullable(release),
      draining: z.nullable(
        z.object({
          leftMs: z.number(),
          requests: z.nullable(z.int()),
          connections: z.nullable(z.int()),
          isCleaningUp: z.nullable(z.boolean()),
        }),
      ),
    }),
  ),
  restarts: z.array(z.object({ slot: z.int(), failures: z.int(), inMs: z.number() })),
  reloadPending: z.boolean(),
  lastReload: z.nullable(reloadResult),
  lastCrash: z.nullable(workerCrash),
});

export const reloadAccepted: z.ZodMiniType<ReloadAccepted> = z.object({ generation: z.int() });

export const scaled: z.ZodMiniType<Scaled> = z.object({ workers: z.int(), before: z.int() });

export const stopAccepted: z.ZodMiniType<StopAccepted> = z.object({ pid: z.int() });

const errorAnswer: z.ZodMiniType<ErrorAnswer> = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.nullable(z.string()) }),
});

/** The answer in its shape. @throws GracefulRunError masterUnreachable when it has another. */
export function readAnswer<T>(shape: z.ZodMiniType<T>, body: string): T {
  const parsed = shape.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => issue.path.join('.')).filter((path) => path !== '');
  throw new GracefulRunError(
    'masterUnreachable',
    `cannot understand the master's answer${where.length === 0 ? '' : `: ${where.slice(0, 3).join(', ')}`}`,
    { hint: 'use the gracefulctl of the version that the master runs' },
  );
}

/** The error that the master answered with; null when the body is none. */
export function readError(body: string): ErrorAnswer['error'] | null {
  const parsed = errorAnswer.safeParse(parseJson(body));
  return parsed.success ? parsed.data.error : null;
}

/** The value, or undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
