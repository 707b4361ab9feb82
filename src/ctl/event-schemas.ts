/**
 * The shape of every observation, checked before it is put into words. One entry for each fact: a fact without its
 * shape does not compile. It must not know the words.
 */
import * as z from 'zod/mini';
import type { Fact, Failure, Observation, Outcome, Release, WorkerPhase } from '../shared/events.ts';

type Shapes = {
  readonly [Name in Fact['event']]: z.ZodMiniType<Extract<Observation, { readonly event: Name }>>;
};

const outcome: z.ZodMiniType<Outcome> = z.object({
  code: z.nullable(z.int()),
  signal: z.nullable(z.string()),
});

export const failure: z.ZodMiniType<Failure> = z.object({
  reason: z.enum(['exited', 'notReady', 'notAdmitted', 'notStarted']),
  message: z.string(),
  hint: z.nullable(z.string()),
  errorCode: z.nullable(z.string()),
  outcome: z.nullable(outcome),
  stderrTail: z.array(z.string()),
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

const cause = z.enum(['signal', 'control', 'watch', 'worker', 'embedder']);
const drainReason = z.enum(['reload', 'rollback', 'stop', 'scaleDown', 'masterGone', 'signal']);
const killReason = z.enum([
  'notReady',
  'notAdmitted',
  'rollback',
  'drainTimeout',
  'restartedItself',
  'stop',
  'reload',
  'scaleDown',
]);

const place = { program: z.string(), time: z.number() };
const identity = { ...place, generation: z.int(), slot: z.int(), pid: z.nullable(z.int()) };
const change = {
  ...identity,
  from: z.nullable(workerPhase),
  to: z.union([workerPhase, z.literal('exited')]),
  durationMs: z.number(),
};

const shapes: Shapes = {
  masterStarted: fact('masterStarted', {
    ...place,
    pid: z.int(),
    version: z.string(),
    control: z.nullable(z.string()),
  }),
  controlSocketChanged: fact('controlSocketChanged', {
    ...place,
    change: z.enum(['elsewhere', 'restored', 'lost', 'left']),
    control: z.string(),
    problem: z.nullable(z.string()),
  }),
  listenerBound: fact('listenerBound', { ...place, listener: z.string(), host: z.string(), port: z.int() }),
  listenersClosed: fact('listenersClosed', place),
  generationStarted: fact('generationStarted', {
    ...place,
    generation: z.int(),
    workers: z.int(),
    release: z.nullable(release),
  }),
  generationReady: fact('generationReady', {
    ...place,
    generation: z.int(),
    durationMs: z.number(),
    release: z.nullable(release),
    probationMs: z.number(),
  }),
  generationSettled: fact('generationSettled', {
    ...place,
    generation: z.int(),
    durationMs: z.number(),
    isEarly: z.boolean(),
  }),
  generationRolledBack: fact('generationRolledBack', {
    ...place,
    generation: z.int(),
    to: z.int(),
    durationMs: z.number(),
    release: z.nullable(release),
    failure,
  }),
  generationFailed: fact('generationFailed', {
    ...place,
    generation: z.int(),
    serving: z.nullable(z.int()),
    durationMs: z.number(),
    release: z.nullable(release),
    failure,
  }),
  reloadRequested: fact('reloadRequested', { ...place, cause, generation: z.int(), pending: z.boolean() }),
  stopRequested: fact('stopRequested', { ...place, cause, urgent: z.boolean() }),
  stopped: fact('stopped', { ...place, failure: z.nullable(failure) }),
  workerCountChanged: fact('workerCountChanged', { ...place, fromCount: z.int(), toCount: z.int() }),
  restartScheduled: fact('restartScheduled', {
    ...place,
    generation: z.int(),
    slot: z.int(),
    failures: z.int(),
    delayMs: z.number(),
  }),
  workerStarted: fact('workerStarted', change),
  workerReady: fact('workerReady', change),
  workerLostProgram: fact('workerLostProgram', { ...identity, failure }),
  workerRestartedItself: fact('workerRestartedItself', { ...identity, failure }),
  workerPaused: fact('workerPaused', identity),
  workerResumed: fact('workerResumed', identity),
  workerNotPaused: fact('workerNotPaused', { ...identity, problem: z.string() }),
  workerAdmitted: fact('workerAdmitted', identity),
  workerDraining: fact('workerDraining', { ...change, reason: drainReason }),
  workerAcceptsNoMore: fact('workerAcceptsNoMore', identity),
  workerCleanUpCut: fact('workerCleanUpCut', { ...identity, what: z.string() }),
  stillDraining: fact('stillDraining', {
    ...place,
    stopping: z.boolean(),
    workers: z.int(),
    requests: z.nullable(z.int()),
    connections: z.nullable(z.int()),
    leftMs: z.number(),
  }),
  workerTerminated: fact('workerTerminated', change),
  workerKilled: fact('workerKilled', { ...change, reason: killReason }),
  workerExited: fact('workerExited', {
    ...change,
    outcome,
    served: z.nullable(z.int()),
    migrated: z.nullable(z.int()),
    cut: z.nullable(z.int()),
    cleanUpsCut: z.int(),
  }),
  workerFailed: fact('workerFailed', { ...change, failure }),
  workerNotReadyYet: fact('workerNotReadyYet', { ...identity, reason: z.string() }),
  migrationFailed: fact('migrationFailed', { ...identity, problem: z.string() }),
  undeclaredListen: fact('undeclaredListen', { ...identity, address: z.string() }),
  wideListen: fact('wideListen', { ...identity, address: z.string() }),
  narrowListen: fact('narrowListen', { ...identity, address: z.string() }),
  addressBusy: fact('addressBusy', {
    ...place,
    host: z.nullable(z.string()),
    port: z.int(),
    patienceMs: z.number(),
  }),
  orphansKilled: fact('orphansKilled', { ...place, port: z.int(), pids: z.array(z.int()) }),
  listenerLeftBehind: fact('listenerLeftBehind', { ...place, port: z.int(), pids: z.array(z.int()) }),
  portChanged: fact('portChanged', { ...place, source: z.enum(['environment', 'file']), port: z.int() }),
  messageRejected: fact('messageRejected', { ...identity, problem: z.string() }),
  fileChanged: fact('fileChanged', { ...place, path: z.string() }),
  watchStarted: fact('watchStarted', { ...place, paths: z.array(z.string()) }),
  watchFailed: fact('watchFailed', { ...place, problem: z.string() }),
};

/** The observation, or null when it is none that this version knows. */
export function readObservation(value: unknown): Observation | null {
  const named = z.object({ event: z.string() }).safeParse(value);
  if (!named.success || !isKnown(named.data.event)) return null;
  const parsed = shapes[named.data.event].safeParse(value);
  return parsed.success ? parsed.data : null;
}

function isKnown(event: string): event is keyof Shapes {
  return Object.hasOwn(shapes, event);
}

function fact<Name extends string, Fields extends z.core.$ZodLooseShape>(
  event: Name,
  fields: Fields,
): z.ZodMiniObject<Fields & { readonly event: z.ZodMiniLiteral<Name> }> {
  return z.object({ ...fields, event: z.literal(event) });
}
