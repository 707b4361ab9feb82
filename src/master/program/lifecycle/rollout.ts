/**
 * A reload in steps: workers of the new generation are started a few at a time. When those of a step accept connections, the old workers in their slots
 * pause, and the next step begins a while later. Paused workers can take over again, so they go only when the next workers need their room. Pure.
 */
import type { Failure } from '../../../shared/events.ts';
import { cancelRestarts, hasWorkerOrRest, nextSlots, startCandidates } from './generations.ts';
import type { Effect } from './inputs.ts';
import {
  isAccepting,
  isLeaving,
  type Generation,
  type Program,
  type Reloading,
  type Rollout,
  type RolloutSettings,
  type Slot,
  type Starting,
  type Worker,
} from './state.ts';
import { drainWorkers, killWorkers, pauseWorkers, workersById } from './worker-commands.ts';
import type { KillReason } from './worker-step.ts';

/** The settings of a reload without steps: all workers of the new generation start beside all of the old one. */
export const allAtOnce: RolloutSettings = {
  maxSurge: null,
  maxUnavailable: { count: 0 },
  pauseMs: 0,
  canary: 0,
  canaryMs: 0,
};

export const superseded: Failure = {
  reason: 'superseded',
  message: 'another reload was requested before all of its workers served',
  hint: null,
  errorCode: null,
  outcome: null,
  stderrTail: [],
};

export const goneBack: Failure = {
  ...superseded,
  reason: 'requested',
  message: 'an operator wanted the old generation',
};

/** How many more workers than are wanted may run during a reload. */
function surgeOf({ settings, workersWanted }: Program): number {
  const { maxSurge } = settings.rollout;
  if (maxSurge === null) return Infinity;
  return 'count' in maxSurge ? maxSurge.count : Math.ceil(maxSurge.share * workersWanted);
}

/** How many fewer workers than are wanted may serve. At least one if there is no surge, because a new worker would have no room otherwise. */
function unavailableOf(program: Program): number {
  const { maxUnavailable } = program.settings.rollout;
  const most =
    'count' in maxUnavailable
      ? maxUnavailable.count
      : Math.floor(maxUnavailable.share * program.workersWanted);
  return surgeOf(program) === 0 ? Math.max(1, most) : most;
}

/** How many new workers a step has. While the step is under way, fewer may become enough, if fewer workers are wanted. */
function stepSize(program: Program, isCanary: boolean): number {
  const { canary } = program.settings.rollout;
  return Math.min(surgeOf(program) + unavailableOf(program), isCanary && canary > 0 ? canary : Infinity);
}

/** The first step of a reload whose new generation has this many slots. */
export function firstStep(program: Program, slots: number): Rollout {
  const { canary } = program.settings.rollout;
  return { done: 0, isCanary: canary > 0 && canary < slots, isCut: false, servesSince: null, nextAt: null };
}

/** Begins the next step, because the workers of the previous one have served for long enough. */
export function beginStep(program: Reloading): Reloading {
  const done = startedSlots(program.candidate).length;
  return { ...program, rollout: { ...program.rollout, done, isCanary: false, isCut: false, nextAt: null } };
}

/** Begins the next step at once, because an operator wants it. */
export function promote(
  program: Reloading,
  _input: { readonly type: 'promoteRequested' },
  out: Effect[],
): Reloading {
  if (program.rollout.nextAt === null) return program;
  out.push({ type: 'disarmTimer', key: { timer: 'rollout' } });
  return beginStep(program);
}

/** The slots of a candidate in which the steps so far have started a worker. */
export function startedSlots({ slots }: Generation): readonly Slot[] {
  return slots.filter(hasWorkerOrRest);
}

/** Whether a worker was started in every slot of the step. */
export function isStepStarted(program: Starting | Reloading): boolean {
  const { candidate } = program;
  const started = startedSlots(candidate).length;
  return started === candidate.slots.length || (program.phase === 'reloading' && missing(program) <= 0);
}

/** How many workers of the step have not been started yet. */
function missing(program: Reloading): number {
  const { candidate, rollout } = program;
  if (rollout.nextAt !== null || rollout.isCut) return 0;
  const wanted = rollout.done + stepSize(program, rollout.isCanary);
  return Math.min(candidate.slots.length, wanted) - startedSlots(candidate).length;
}

/** Starts those workers of a candidate that may be started, and lets old ones make room for the others. Has to be called after every step of the lifecycle. */
export function tendCandidate(program: Program, at: number, out: Effect[]): Program {
  if (program.phase === 'starting') return startSome(program, Infinity, at, out);
  if (program.phase !== 'reloading') return program;
  const started = startSome(program, Math.min(missing(program), roomOf(program)), at, out);
  const roomy = makeRoom(started, at, out);
  return roomy === started ? started : startSome(roomy, Math.min(missing(roomy), roomOf(roomy)), at, out);
}

function startSome<P extends Starting | Reloading>(program: P, atMost: number, at: number, out: Effect[]): P {
  if (nextSlots(program, program.candidate, atMost).length === 0) return program;
  const next = startCandidates(program, program.candidate, atMost, at, out);
  return { ...next.program, candidate: next.generation };
}

/**
 * Whether a step cannot go on: its ready workers wait for others, and those for room that nothing makes any more, for example because a worker of an
 * earlier step had to be replaced. Once the ready ones serve, old workers can go.
 */
export function isStuck(program: Program): program is Reloading {
  if (program.phase !== 'reloading' || missing(program) <= 0 || roomOf(program) > 0) return false;
  return program.workers.every(({ phase, admission }) => phase === 'ready' && admission !== 'asked');
}

/** Ends the step with the workers that it has. Whatever follows when all workers of a step are ready has to be done next. */
export function cutStep(program: Reloading): Reloading {
  return { ...program, rollout: { ...program.rollout, isCut: true } };
}

/** How many more workers may run at the moment. */
function roomOf(program: Reloading): number {
  const restarts = program.current.slots.filter(({ restartAt }) => restartAt !== null).length;
  return program.workersWanted + surgeOf(program) - program.workers.length - restarts;
}

/** Lets old workers go, as many as the next new ones need room, in addition to those that leave already. The ones that serve least go first. */
function makeRoom(program: Reloading, at: number, out: Effect[]): Reloading {
  const { candidate, current, workers } = program;
  const wanted = nextSlots(program, candidate, missing(program)).length;
  const short = wanted - roomOf(program) - workers.filter(isLeaving).length;
  if (short <= 0) return program;
  const serving = workers.filter(isAccepting).length;
  const mayStop = Math.max(0, serving - program.workersWanted + unavailableOf(program));
  const ranked = current.slots
    .flatMap((slot) => {
      const use = useOf(program, slot);
      return use === null ? [] : [{ slot, use }];
    })
    .sort((one, other) => one.use - other.use);
  const idle = ranked.filter(({ use }) => use < uses.serves);
  const going = [...idle, ...ranked.slice(idle.length).slice(0, mayStop)].slice(0, short);
  return going.length === 0
    ? program
    : letGo(
        program,
        going.map(({ slot }) => slot),
        at,
        out,
      );
}

/** How useful an old slot is for clients, in rising order. */
const uses = { waitsForRestart: 0, starts: 1, isPaused: 2, isRelieved: 3, serves: 4 } as const;

/** How useful a slot still is; null if it takes no room, or its worker leaves already. */
function useOf(program: Reloading, { index, workerId, restartAt }: Slot): number | null {
  if (restartAt !== null) return uses.waitsForRestart;
  const worker = program.workers.find(({ id }) => id === workerId);
  if (worker === undefined || isLeaving(worker)) return null;
  if (worker.isPaused) return uses.isPaused;
  if (!isAccepting(worker)) return uses.starts;
  return isRelieved(program, index) ? uses.isRelieved : uses.serves;
}

/** Whether the new worker of this slot accepts connections. */
function isRelieved({ candidate, workers }: Reloading, index: number): boolean {
  const id = candidate.slots.find((slot) => slot.index === index)?.workerId ?? null;
  return workers.some((worker) => worker.id === id && isAccepting(worker));
}

/** Whether an old worker counts as replaced, so that none is started in its place: it is paused, or a step is over and the new worker of its slot accepts. */
export function isReplaced(program: Reloading, worker: Worker): boolean {
  return worker.isPaused || (program.rollout.servesSince !== null && isRelieved(program, worker.slot));
}

/** Takes slots from the serving generation, and drains their workers. */
function letGo(program: Reloading, slots: readonly Slot[], at: number, out: Effect[]): Reloading {
  cancelRestarts({ ...program.current, slots }, out);
  const workers = program.workers.filter(({ id }) => slots.some(({ workerId }) => workerId === id));
  return drainWorkers(
    {
      ...program,
      current: { ...program.current, slots: program.current.slots.filter((slot) => !slots.includes(slot)) },
    },
    workers,
    'reload',
    at,
    out,
  );
}

/** Forgets an old worker that was replaced, because it is gone or leaves. */
export function forgetReplaced(program: Reloading, { id }: Worker): Reloading {
  const slots = program.current.slots.filter(({ workerId }) => workerId !== id);
  return { ...program, current: { ...program.current, slots } };
}

/** Kills an old worker that was replaced and cannot take over again: its program ended, or is another process that was never admitted. */
export function giveUpReplaced(
  program: Reloading,
  worker: Worker,
  reason: KillReason,
  at: number,
  out: Effect[],
): Reloading {
  return forgetReplaced(killWorkers(program, workersById(program, worker.id), reason, at, out), worker);
}

/** Ends a step whose workers accept: the old workers in their slots pause, and the next step waits. */
export function finishStep(program: Reloading, at: number, out: Effect[]): Reloading {
  const { candidate, rollout, settings } = program;
  // This step has been finished before, and a worker of it was replaced since.
  if (rollout.nextAt !== null) return program;
  const { pauseMs, canaryMs } = settings.rollout;
  const delayMs = rollout.isCanary ? canaryMs : pauseMs;
  const serving = startedSlots(candidate);
  out.push(
    {
      type: 'announce',
      event: {
        event: 'rolloutAdvanced',
        generation: candidate.number,
        serving: serving.length,
        workers: candidate.slots.length,
        isCanary: rollout.isCanary,
        pauseMs: delayMs,
      },
    },
    { type: 'armTimer', key: { timer: 'rollout' }, delayMs },
  );
  return {
    ...pauseWorkers(program, relievedWorkers(program), at, out),
    rollout: { ...rollout, servesSince: rollout.servesSince ?? at, nextAt: at + delayMs },
  };
}

/** The old workers that the new ones of the steps so far relieve, as far as they can pause. The others drain when their room is needed, or at the end. */
export function relievedWorkers({ candidate, current, workers }: Reloading): readonly Worker[] {
  const indices = startedSlots(candidate).map(({ index }) => index);
  const ids = current.slots.filter(({ index }) => indices.includes(index)).map(({ workerId }) => workerId);
  return workers.filter(
    (worker) => ids.includes(worker.id) && isAccepting(worker) && worker.capabilities.isGated,
  );
}
