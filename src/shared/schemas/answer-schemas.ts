/**
 * The shapes of a master's answers (src/shared/control-api.ts). Clients check every answer with them before they use it, because the master may be of
 * another version, or the server may be no master at all. Fields that an older master does not send have a default.
 */
import * as z from 'zod/mini';
import {
  programStates,
  type DrainingStatus,
  type EmptySlot,
  type ErrorAnswer,
  type EventLoopStatus,
  type LoadStatus,
  type LogLine,
  type LogNotice,
  type LogRecord,
  type MasterStatus,
  type PendingRestart,
  type PlanDifference,
  type PlanProblem,
  type ProgramChange,
  type ProgramList,
  type ProgramLoad,
  type ReloadAccepted,
  type Decided,
  type ReloadResult,
  type RolloutStatus,
  type Scaled,
  type ScheduleStatus,
  type Status,
  type StopAccepted,
  type UpdatedProgram,
  type UpdateResult,
  type WorkerCapabilities,
  type WorkerCrash,
  type WorkerStatus,
} from '../control-api.ts';
import { GracefulRunError } from '../errors.ts';
import {
  address,
  errorCounts,
  failure,
  outcome,
  outcomeFields,
  release,
  runCause,
  runResult,
  workerPhase,
} from './event-schemas.ts';

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
  // A master of a version without reloads in steps does not send it.
  remaining: z._default(z.int(), 0),
});

export const workerCrash: z.ZodMiniType<WorkerCrash> = z.object({
  generation: z.int(),
  slot: z.int(),
  pid: z.nullable(z.int()),
  endedAt: z.number(),
  failure,
});

export const masterStatus: z.ZodMiniType<MasterStatus> = z.object({
  // Empty if an older master does not send it. Its control socket is called like its program.
  name: z._default(z.string(), ''),
  pid: z.int(),
  version: z.string(),
  uptimeMs: z.number(),
  isStopping: z._default(z.boolean(), false),
  logId: z._default(z.nullable(z.string()), null),
  file: z._default(z.nullable(z.string()), null),
  upgrades: z._default(z.int(), 0),
  node: z._default(z.string(), ''),
});

export const drainingStatus: z.ZodMiniType<DrainingStatus> = z.object({
  leftMs: z.number(),
  requests: z.nullable(z.int()),
  connections: z.nullable(z.int()),
  isCleaningUp: z.nullable(z.boolean()),
});

export const workerCapabilities: z.ZodMiniType<WorkerCapabilities> = z.object({
  isGated: z.boolean(),
  migrates: z.boolean(),
  reports: z.boolean(),
});

export const eventLoopStatus: z.ZodMiniType<EventLoopStatus> = z.object({
  utilization: z.number(),
  delayMeanMs: z.nullable(z.number()),
  delayP99Ms: z.nullable(z.number()),
  delayMaxMs: z.nullable(z.number()),
});

export const loadStatus: z.ZodMiniType<LoadStatus> = z.object({
  requests: z.int(),
  connections: z.int(),
  served: z.int(),
  serverErrors: z.int(),
  eventLoop: eventLoopStatus,
});

export const programLoad: z.ZodMiniType<ProgramLoad> = z.object({ served: z.int(), serverErrors: z.int() });

export const workerStatus: z.ZodMiniType<WorkerStatus> = z.object({
  generation: z.int(),
  slot: z.int(),
  pid: z.nullable(z.int()),
  servingPid: z._default(z.nullable(z.int()), null),
  state: workerPhase,
  isAccepting: z.boolean(),
  isHung: z.boolean(),
  capabilities: z._default(z.nullable(workerCapabilities), null),
  inStateMs: z.number(),
  uptimeMs: z.number(),
  otherRelease: z.nullable(release),
  draining: z.nullable(drainingStatus),
  load: z._default(z.nullable(loadStatus), null),
});

export const pendingRestart: z.ZodMiniType<PendingRestart> = z.object({
  slot: z.int(),
  failures: z.int(),
  inMs: z.number(),
});

export const emptySlot: z.ZodMiniType<EmptySlot> = z.object({
  slot: z.int(),
  outcome: z.nullable(outcome),
  isGivenUp: z.boolean(),
});

export const scheduleStatus: z.ZodMiniType<ScheduleStatus> = z.object({
  expression: z.string(),
  timezone: z.nullable(z.string()),
  nextAt: z.nullable(z.number()),
  run: z.nullable(z.object({ startedAt: z.number(), cause: runCause })),
  isPending: z.boolean(),
  lastRun: z.nullable(
    z.object({
      startedAt: z.number(),
      durationMs: z.number(),
      result: runResult,
      outcome: z.nullable(outcome),
    }),
  ),
});

const rolloutStatus: z.ZodMiniType<RolloutStatus> = z.object({
  generation: z.int(),
  serving: z.int(),
  workers: z.int(),
  isCanary: z.boolean(),
  nextInMs: z.nullable(z.number()),
});

export const status: z.ZodMiniType<Status> = z.object({
  program: z.string(),
  group: z._default(z.nullable(z.string()), null),
  type: z._default(z.enum(['server', 'worker', 'oneshot']), 'server'),
  state: z.enum(programStates),
  phase: z.enum([
    'idle',
    'starting',
    'backoff',
    'serving',
    'reloading',
    'restarting',
    'stopping',
    'stopped',
    'exited',
    'failed',
    'scheduled',
  ]),
  isWanted: z._default(z.boolean(), true),
  waitsFor: z._default(z.array(z.string()), []),
  rollout: z._default(z.nullable(rolloutStatus), null),
  probation: z.nullable(z.object({ previous: z.int(), remainingMs: z.number() })),
  errors: z._default(z.nullable(errorCounts), null),
  generation: z.nullable(z.int()),
  release: z.nullable(release),
  command: z.array(z.string()),
  master: masterStatus,
  listeners: z.array(z.object({ name: z.string(), ...address, reusePort: z.boolean() })),
  workersWanted: z.int(),
  workers: z.array(workerStatus),
  restarts: z.array(pendingRestart),
  orphans: z._default(z.nullable(z.object({ pids: z.array(z.int()), remainingMs: z.number() })), null),
  emptySlots: z._default(z.array(emptySlot), []),
  retry: z._default(z.nullable(z.object({ failures: z.int(), inMs: z.number() })), null),
  exit: z._default(z.nullable(z.object({ ...outcomeFields, isExpected: z.boolean() })), null),
  schedule: z._default(z.nullable(scheduleStatus), null),
  reloadPending: z.boolean(),
  load: z._default(z.nullable(programLoad), null),
  lastReload: z.nullable(reloadResult),
  lastCrash: z.nullable(workerCrash),
});

export const programList: z.ZodMiniType<ProgramList> = z.object({
  master: masterStatus,
  programs: z.array(status),
});

export const reloadAccepted: z.ZodMiniType<ReloadAccepted> = z.object({ generation: z.int() });

export const decided: z.ZodMiniType<Decided> = z.object({ generation: z.int() });

export const scaled: z.ZodMiniType<Scaled> = z.object({ workers: z.int(), before: z.int() });

export const stopAccepted: z.ZodMiniType<StopAccepted> = z.object({ pid: z.int() });

export const programChange: z.ZodMiniType<ProgramChange> = z.object({
  program: z.string(),
  keys: z.array(z.string()),
  needs: z.enum(['nothing', 'reload', 'restart']),
  later: z._default(z.array(z.string()), []),
  runsAgain: z._default(z.boolean(), false),
});

export const planDifference: z.ZodMiniType<PlanDifference> = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(programChange),
  master: z.array(z.string()),
});

export const updatedProgram: z.ZodMiniType<UpdatedProgram> = z.object({
  program: z.string(),
  done: z.enum(['started', 'scheduled', 'reloaded', 'restarted', 'changed', 'removed']),
  problem: z.nullable(z.string()),
});

export const updateResult: z.ZodMiniType<UpdateResult> = z.object({
  file: z.nullable(z.string()),
  difference: planDifference,
  applied: z.boolean(),
  programs: z.array(updatedProgram),
});

export const planProblem: z.ZodMiniType<PlanProblem> = z.object({
  file: z.nullable(z.string()),
  line: z.nullable(z.int()),
  column: z.nullable(z.int()),
  key: z.nullable(z.string()),
  message: z.string(),
  hint: z.nullable(z.string()),
});

export const logLine: z.ZodMiniType<LogLine> = z.object({
  stream: z.nullable(z.enum(['stdout', 'stderr'])),
  generation: z.nullable(z.int()),
  slot: z.nullable(z.int()),
  worker: z.nullable(z.int()),
  time: z.nullable(z.number()),
  line: z.string(),
});
export const logNotice: z.ZodMiniType<LogNotice> = z.object({ notice: z.string() });
export const logRecord: z.ZodMiniType<LogRecord> = z.union([logLine, logNotice]);

export const errorAnswer: z.ZodMiniType<ErrorAnswer> = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.nullable(z.string()),
    problems: z.exactOptional(z.array(planProblem)),
  }),
});

/** Checks the answer and returns it. @throws GracefulRunError masterUnreachable if it has another shape. */
export function readAnswer<T>(shape: z.ZodMiniType<T>, body: string): T {
  const parsed = shape.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => issue.path.join('.')).filter((path) => path !== '');
  throw new GracefulRunError(
    'masterUnreachable',
    `cannot understand the master's answer${where.length === 0 ? '' : `: ${where.slice(0, 3).join(', ')}`}`,
    { hint: 'use the version of graceful-run that the master runs' },
  );
}

/** Returns the error in the master's answer; null if the body is none. */
export function readError(body: string): ErrorAnswer['error'] | null {
  const parsed = errorAnswer.safeParse(parseJson(body));
  return parsed.success ? parsed.data.error : null;
}

/** Parses a record of a log; null if this version does not know it. */
export function readLogRecord(value: unknown): LogRecord | null {
  const parsed = logRecord.safeParse(value);
  return parsed.success ? parsed.data : null;
}

/** Parses JSON; undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
