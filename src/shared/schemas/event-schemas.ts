/**
 * The shape of every event (src/shared/events.ts): clients check an event with it before they put it into words. An event without its shape
 * does not compile.
 */
import * as z from 'zod/mini';
import type { AddressFields } from '../format-address.ts';
import type {
  ErrorCounts,
  MasterEvent,
  Failure,
  EventRecord,
  Outcome,
  Release,
  RequestCounts,
  WorkerPhase,
  RunCause,
  RunResult,
} from '../events.ts';

type Shapes = {
  readonly [Name in MasterEvent['event']]: z.ZodMiniType<Extract<EventRecord, { readonly event: Name }>>;
};

export const outcomeFields: {
  readonly code: z.ZodMiniType<number | null>;
  readonly signal: z.ZodMiniType<string | null>;
} = {
  code: z.nullable(z.int()),
  signal: z.nullable(z.string()),
};

export const outcome: z.ZodMiniType<Outcome> = z.object(outcomeFields);

const requestFields: {
  readonly requests: z.ZodMiniType<number>;
  readonly serverErrors: z.ZodMiniType<number>;
} = { requests: z.int(), serverErrors: z.int() };

const requestCounts: z.ZodMiniType<RequestCounts> = z.object(requestFields);

export const errorCounts: z.ZodMiniType<ErrorCounts> = z.object({
  current: requestCounts,
  previous: requestCounts,
});

export const failure: z.ZodMiniType<Failure> = z.object({
  reason: z.enum([
    'exited',
    'notReady',
    'notAdmitted',
    'notStarted',
    'unhealthy',
    'hung',
    'tooManyErrors',
    'superseded',
    'requested',
  ]),
  message: z.string(),
  hint: z.nullable(z.string()),
  errorCode: z.nullable(z.string()),
  outcome: z.nullable(outcome),
  stderrTail: z.array(z.string()),
  errorRate: z.optional(
    z.object({ ...requestFields, overMs: z.number(), previous: z.nullable(requestCounts) }),
  ),
});

export const release: z.ZodMiniType<Release> = z.object({
  cwd: z.string(),
  file: z.nullable(z.string()),
  changed: z.nullable(z.boolean()),
});

export const workerPhase: z.ZodMiniType<WorkerPhase> = z.enum([
  'starting',
  'ready',
  'draining',
  'terminating',
  'killing',
]);

const cause = z.enum(['signal', 'control', 'watch', 'worker', 'embedder', 'schedule']);
export const runCause: z.ZodMiniType<RunCause> = z.enum(['schedule', 'missed', 'request']);
export const runResult: z.ZodMiniType<RunResult> = z.enum([
  'succeeded',
  'failed',
  'timedOut',
  'replaced',
  'stopped',
]);
const drainReason = z.enum([
  'reload',
  'rollback',
  'stop',
  'scaleDown',
  'replacement',
  'masterGone',
  'signal',
]);
const killReason = z.enum([
  'notReady',
  'notAdmitted',
  'rollback',
  'drainTimeout',
  'restartedItself',
  'stop',
  'reload',
  'scaleDown',
  'replacement',
  'hung',
]);
const replacementCause = z.object({
  reason: z.enum(['maxMemory', 'maxLifetime', 'maxRequests', 'watchdog']),
  figure: z.number(),
  bound: z.number(),
});

const place = { program: z.string(), time: z.number() };
export const address: { readonly [Name in keyof AddressFields]: z.ZodMiniType<AddressFields[Name]> } = {
  type: z.enum(['tcp', 'unix', 'udp']),
  host: z.nullable(z.string()),
  port: z.nullable(z.int()),
  path: z.nullable(z.string()),
};
const held = { port: address.port, path: address.path, pids: z.array(z.int()) };
const identity = { ...place, generation: z.int(), slot: z.int(), pid: z.nullable(z.int()) };
const change = {
  ...identity,
  from: z.nullable(workerPhase),
  to: z.union([workerPhase, z.literal('exited')]),
  durationMs: z.number(),
};

export const eventShapes: Shapes = {
  masterStarted: event('masterStarted', {
    ...place,
    pid: z.int(),
    version: z.string(),
    control: z.nullable(z.string()),
  }),
  upgradeRequested: event('upgradeRequested', { ...place, cause }),
  upgradeWaits: event('upgradeWaits', { ...place, until: z.string() }),
  upgradeFailed: event('upgradeFailed', {
    ...place,
    problem: z.string(),
    hint: z.nullable(z.string()),
  }),
  masterUpgraded: event('masterUpgraded', {
    ...place,
    pid: z.int(),
    from: z.string(),
    version: z.string(),
    nodeFrom: z.string(),
    node: z.string(),
    durationMs: z.number(),
  }),
  controlSocketChanged: event('controlSocketChanged', {
    ...place,
    change: z.enum(['elsewhere', 'restored', 'lost', 'left']),
    control: z.string(),
    problem: z.nullable(z.string()),
  }),
  metricsServed: event('metricsServed', { ...place, isSecure: z.boolean(), ...address }),
  metricsFailed: event('metricsFailed', { ...place, problem: z.string() }),
  listenerBound: event('listenerBound', { ...place, listener: z.string(), ...address }),
  listenersClosed: event('listenersClosed', place),
  generationStarted: event('generationStarted', {
    ...place,
    generation: z.int(),
    workers: z.int(),
    release: z.nullable(release),
  }),
  generationReady: event('generationReady', {
    ...place,
    generation: z.int(),
    durationMs: z.number(),
    release: z.nullable(release),
    probationMs: z.number(),
    isOneshot: z.optional(z.boolean()),
  }),
  generationSettled: event('generationSettled', {
    ...place,
    generation: z.int(),
    durationMs: z.number(),
    isEarly: z.boolean(),
  }),
  rolloutAdvanced: event('rolloutAdvanced', {
    ...place,
    generation: z.int(),
    serving: z.int(),
    workers: z.int(),
    isCanary: z.boolean(),
    pauseMs: z.number(),
  }),
  generationRolledBack: event('generationRolledBack', {
    ...place,
    generation: z.int(),
    to: z.int(),
    durationMs: z.number(),
    remaining: z.int(),
    release: z.nullable(release),
    failure,
  }),
  generationFailed: event('generationFailed', {
    ...place,
    generation: z.int(),
    serving: z.nullable(z.int()),
    durationMs: z.number(),
    release: z.nullable(release),
    failure,
  }),
  reloadRequested: event('reloadRequested', { ...place, cause, generation: z.int(), pending: z.boolean() }),
  stopRequested: event('stopRequested', { ...place, cause, urgent: z.boolean() }),
  // An older master does not send the outcome.
  stopped: event('stopped', {
    ...place,
    failure: z.nullable(failure),
    outcome: z._default(z.nullable(outcome), null),
    isOneshot: z.optional(z.boolean()),
  }),
  startRetryScheduled: event('startRetryScheduled', {
    ...place,
    generation: z.int(),
    failures: z.int(),
    retries: z.int(),
    delayMs: z.number(),
  }),
  workerNotReplaced: event('workerNotReplaced', {
    ...identity,
    why: z.enum(['exited', 'crashLoop']),
    outcome: z.nullable(outcome),
    isOneshot: z.optional(z.boolean()),
  }),
  replacementStarted: event('replacementStarted', { ...identity, cause: replacementCause }),
  workerReplaced: event('workerReplaced', {
    ...identity,
    successor: z.nullable(z.int()),
    cause: replacementCause,
    durationMs: z.number(),
  }),
  replacementFailed: event('replacementFailed', {
    ...identity,
    successor: z.nullable(z.int()),
    cause: replacementCause,
    failures: z.int(),
    delayMs: z.number(),
  }),
  workerAdopted: event('workerAdopted', {
    ...identity,
    before: z.nullable(z.int()),
    how: z.enum(['running', 'started', 'changed']),
  }),
  workerHung: event('workerHung', {
    ...identity,
    silentMs: z.number(),
    boundMs: z.number(),
    isTriggered: z.boolean(),
    stack: z.array(z.string()),
    problem: z.nullable(z.string()),
    doing: z.nullable(z.string()),
  }),
  exitHung: event('exitHung', { ...identity, process: z.int(), code: z.int(), waitedMs: z.number() }),
  startRefused: event('startRefused', { ...place, failure }),
  runStarted: event('runStarted', { ...place, cause: runCause }),
  runEnded: event('runEnded', {
    ...place,
    result: runResult,
    outcome: z.nullable(outcome),
    durationMs: z.number(),
    nextAt: z.nullable(z.number()),
  }),
  runTimedOut: event('runTimedOut', { ...place, timeoutMs: z.number(), durationMs: z.number() }),
  runSkipped: event('runSkipped', {
    ...place,
    reason: z.enum(['stillRunning', 'dependency']),
    dueAt: z.number(),
    programs: z.array(z.string()),
  }),
  runsMissed: event('runsMissed', { ...place, count: z.int(), firstAt: z.number(), isMadeUp: z.boolean() }),
  keptStopped: event('keptStopped', { ...place }),
  startWaits: event('startWaits', {
    ...place,
    programs: z.array(z.string()),
    oneshots: z.optional(z.array(z.string())),
  }),
  planChanged: event('planChanged', {
    ...place,
    file: z.nullable(z.string()),
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.string()),
  }),
  planRefused: event('planRefused', {
    ...place,
    file: z.nullable(z.string()),
    problems: z.array(z.string()),
  }),
  rememberedFailed: event('rememberedFailed', { ...place, file: z.string(), problem: z.string() }),
  workerCountChanged: event('workerCountChanged', { ...place, fromCount: z.int(), toCount: z.int() }),
  restartScheduled: event('restartScheduled', {
    ...place,
    generation: z.int(),
    slot: z.int(),
    failures: z.int(),
    delayMs: z.number(),
  }),
  workerStarted: event('workerStarted', change),
  workerReady: event('workerReady', change),
  workerLostProgram: event('workerLostProgram', { ...identity, failure }),
  workerRestartedItself: event('workerRestartedItself', { ...identity, failure }),
  workerPaused: event('workerPaused', identity),
  workerResumed: event('workerResumed', identity),
  workerNotPaused: event('workerNotPaused', { ...identity, problem: z.string() }),
  workerAdmitted: event('workerAdmitted', identity),
  workerDraining: event('workerDraining', { ...change, reason: drainReason }),
  workerAcceptsNoMore: event('workerAcceptsNoMore', identity),
  workerCleanUpCut: event('workerCleanUpCut', { ...identity, what: z.string() }),
  stillDraining: event('stillDraining', {
    ...place,
    stopping: z.boolean(),
    workers: z.int(),
    requests: z.nullable(z.int()),
    connections: z.nullable(z.int()),
    cleaningUp: z.nullable(z.int()),
    leftMs: z.number(),
  }),
  workerTerminated: event('workerTerminated', { ...change, signal: z.string() }),
  workerKilled: event('workerKilled', { ...change, reason: killReason }),
  workerExited: event('workerExited', {
    ...change,
    outcome,
    served: z.nullable(z.int()),
    migrated: z.nullable(z.int()),
    drained: z._default(z.nullable(z.int()), null),
    cut: z.nullable(z.int()),
    cleanUpsCut: z.int(),
    failure: z.nullable(failure),
  }),
  workerFailed: event('workerFailed', { ...change, failure }),
  workerNotReadyYet: event('workerNotReadyYet', { ...identity, reason: z.string() }),
  migrationFailed: event('migrationFailed', { ...identity, problem: z.string() }),
  undeclaredListen: event('undeclaredListen', { ...identity, address: z.string() }),
  wideListen: event('wideListen', { ...identity, address: z.string() }),
  narrowListen: event('narrowListen', { ...identity, address: z.string() }),
  addressBusy: event('addressBusy', {
    ...place,
    ...address,
    patienceMs: z.number(),
  }),
  addressLeftOut: event('addressLeftOut', {
    ...place,
    listener: z.string(),
    ...address,
    address: z.string(),
  }),
  inheritedSocketUnused: event('inheritedSocketUnused', {
    ...place,
    socket: z.nullable(z.string()),
    ...address,
  }),
  nameBusy: event('nameBusy', { ...place, holder: z.int() }),
  listenerRescued: event('listenerRescued', {
    ...place,
    listener: z.string(),
    ...address,
    pids: z.array(z.int()),
  }),
  orphansDrained: event('orphansDrained', {
    ...place,
    pids: z.array(z.int()),
    problem: z.nullable(z.string()),
  }),
  orphansKilled: event('orphansKilled', { ...place, ...held }),
  listenerLeftBehind: event('listenerLeftBehind', { ...place, ...held }),
  leftoversKilled: event('leftoversKilled', { ...place, pids: z.array(z.int()) }),
  listenerKept: event('listenerKept', { ...identity, pids: z.array(z.int()), killed: z.boolean() }),
  listenerShutDown: event('listenerShutDown', {
    ...place,
    listener: z.string(),
    ...address,
    problem: z.nullable(z.string()),
  }),
  queueLeftBehind: event('queueLeftBehind', {
    ...place,
    generation: z.int(),
    slot: z.int(),
    connections: z.int(),
  }),
  portChanged: event('portChanged', { ...place, source: z.enum(['environment', 'file']), port: z.int() }),
  messageRejected: event('messageRejected', { ...identity, problem: z.string() }),
  hookEnded: event('hookEnded', {
    ...place,
    hook: z.string(),
    problem: z.nullable(z.string()),
    durationMs: z.number(),
    output: z.array(z.string()),
  }),
  webhookFailed: event('webhookFailed', {
    ...place,
    about: z.string(),
    problem: z.string(),
    attempts: z.int(),
  }),
  webhooksDropped: event('webhooksDropped', { ...place, count: z.int() }),
  hooksDropped: event('hooksDropped', { ...place, count: z.int() }),
  fileChanged: event('fileChanged', { ...place, path: z.string() }),
  watchStarted: event('watchStarted', { ...place, paths: z.array(z.string()) }),
  watchFailed: event('watchFailed', { ...place, problem: z.string() }),
  outputLost: event('outputLost', {
    ...place,
    path: z.string(),
    reason: z.enum(['cannotWrite', 'tooFast']),
    problem: z.nullable(z.string()),
  }),
  outputResumed: event('outputResumed', { ...place, path: z.string(), lines: z.int(), bytes: z.int() }),
  logRotationFailed: event('logRotationFailed', { ...place, path: z.string(), problem: z.string() }),
  logsReopened: event('logsReopened', {
    ...place,
    paths: z.array(z.string()),
    problems: z.array(z.string()),
  }),
  internalError: event('internalError', { ...place, problem: z.string() }),
};

/** Returns the event, or null if this version does not know it. */
export function readEventRecord(value: unknown): EventRecord | null {
  const named = z.object({ event: z.string() }).safeParse(value);
  if (!named.success || !isKnown(named.data.event)) return null;
  const parsed = eventShapes[named.data.event].safeParse(value);
  return parsed.success ? parsed.data : null;
}

function isKnown(event: string): event is keyof Shapes {
  return Object.hasOwn(eventShapes, event);
}

function event<Name extends string, Fields extends z.core.$ZodLooseShape>(
  event: Name,
  fields: Fields,
): z.ZodMiniObject<Fields & { readonly event: z.ZodMiniLiteral<Name> }> {
  return z.object({ ...fields, event: z.literal(event) });
}
