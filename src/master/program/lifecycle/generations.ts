/**
 * Generations and their slots: start one, fill it, plan a restart, give it another number of slots. Each function
 * returns the program as it is afterwards and adds what is to be done to `out`. Pure.
 */
import { backoffMs, countedFailures } from './backoff.ts';
import type { Failure } from '../../../shared/events.ts';
import type { Effect } from './inputs.ts';
import {
  commonOf,
  generationsOf,
  noCapabilities,
  servingGeneration,
  type Generation,
  type OnProbation,
  type Program,
  type Reloading,
  type Serving,
  type Slot,
  type SlotRest,
  type Starting,
  type Worker,
} from './state.ts';
import { drainWorkers } from './worker-commands.ts';

/** Starts one worker for every slot of `generation` that has none and waits for none; returns the filled generation. */
export function fillSlots<P extends Program>(
  program: P,
  generation: Generation,
  slots: readonly Slot[],
  at: number,
  out: Effect[],
): { program: P; generation: Generation } {
  let { lastWorkerId } = program;
  const born: Worker[] = [];
  const filled = generation.slots.map((slot) => {
    if (!slots.includes(slot)) return slot;
    const id = ++lastWorkerId;
    born.push({
      id,
      generation: generation.number,
      slot: slot.index,
      pid: null,
      phase: 'starting',
      phaseSince: at,
      startedAt: at,
      capabilities: { ...noCapabilities, isGated: true },
      extendedTo: null,
      ending: [],
      readyAt: null,
      admission: 'notAsked',
      takesConnections: false,
      isPaused: false,
      isHung: false,
    });
    out.push(
      {
        type: 'armTimer',
        key: { timer: 'ready', worker: id },
        delayMs: program.settings.readyTimeoutMs,
      },
      { type: 'startWorker', worker: id, generation: generation.number, slot: slot.index },
    );
    return { ...slot, workerId: id, restartAt: null, rest: null };
  });
  return {
    program: { ...program, workers: [...program.workers, ...born], lastWorkerId },
    generation: { ...generation, slots: filled },
  };
}

/** Starts a worker in the slot of one that leaves. */
export function refill<P extends Program>(
  program: P,
  generation: Generation,
  leaving: Worker,
  at: number,
  out: Effect[],
): { program: P; generation: Generation } {
  const slots = generation.slots.filter(({ workerId }) => workerId === leaving.id);
  return fillSlots(program, generation, slots, at, out);
}

/** Starts as many workers of a candidate as may be started now. */
export function startCandidates<P extends Program>(
  program: P,
  candidate: Generation,
  atMost: number,
  at: number,
  out: Effect[],
): { program: P; generation: Generation } {
  return fillSlots(program, candidate, nextSlots(program, candidate, atMost), at, out);
}

/**
 * The slots of a candidate that may get a worker at the moment. Normally these are all empty ones. If a worker of the serving generation accepts as soon
 * as it runs, the new ones will, too: then they are started one after the other, each when the one before is ready, so that a bad release meets as few
 * clients as possible.
 */
export function nextSlots(program: Program, candidate: Generation, atMost: number): readonly Slot[] {
  const empty = candidate.slots.filter((slot) => !hasWorkerOrRest(slot)).slice(0, Math.max(0, atMost));
  const serving = servingGeneration(program)?.number;
  const isCareful = program.workers.some(
    ({ generation, phase, capabilities }) =>
      generation === serving && phase === 'ready' && !capabilities.isGated,
  );
  if (!isCareful) return empty;
  return program.workers.some((worker) => holds(candidate, worker) && worker.phase === 'starting')
    ? []
    : empty.slice(0, 1);
}

/** Whether a slot was given a worker, or a worker has done its work there. */
export function hasWorkerOrRest({ workerId, rest }: Slot): boolean {
  return workerId !== null || rest !== null;
}

/** Makes the next generation, whose workers are not started yet. It is the answer to every reload that was requested before. */
export function beginGeneration<P extends Program>(
  program: P,
  at: number,
  out: Effect[],
): { program: P; generation: Generation } {
  const number = program.lastGeneration + 1;
  const slots = Array.from({ length: program.workersWanted }, (_, index) => emptySlot(index));
  out.push({
    type: 'announce',
    event: { event: 'generationStarted', generation: number, workers: slots.length },
  });
  return {
    program: { ...program, lastGeneration: number, pendingSince: null },
    generation: { number, startedAt: at, slots },
  };
}

/** Gives `generation` as many slots as are wanted: workers are started in new slots, and the slots that serve least are given up. */
export function fitSlots<P extends Program>(
  program: P,
  generation: Generation,
  at: number,
  out: Effect[],
): { program: P; generation: Generation } {
  const fitted = changeSlots(program, generation, at, out);
  return fillSlots(fitted.program, fitted.generation, fitted.added, at, out);
}

/** Changes the slots as fitSlots() does, but starts no workers in new ones. */
export function changeSlots<P extends Program>(
  program: P,
  generation: Generation,
  at: number,
  out: Effect[],
): { program: P; generation: Generation; added: readonly Slot[] } {
  const ranked = [...generation.slots].sort(
    (one, other) => rank(program, other) - rank(program, one) || one.index - other.index,
  );
  const dropped = ranked.slice(program.workersWanted);
  const kept = generation.slots.filter((slot) => !dropped.includes(slot));
  for (const slot of dropped) if (slot.workerId === null) out.push(disarmRestart(generation, slot));
  const shrunk = drainWorkers(program, workersIn(program, dropped), 'scaleDown', at, out);
  const free = Array.from({ length: program.workersWanted }, (_, index) => index).filter(
    (index) => !kept.some((slot) => slot.index === index),
  );
  const added = free.slice(0, program.workersWanted - kept.length).map(emptySlot);
  return { program: shrunk, generation: { ...generation, slots: [...kept, ...added] }, added };
}

/** Plans the replacement of a worker of `generation` that has ended: at once, or after its backoff. */
export function scheduleRestart(
  program: Program,
  generation: Generation,
  ended: Worker,
  at: number,
  out: Effect[],
): Generation {
  const { backoff } = program.settings;
  return changeSlotOf(generation, ended, (slot) => {
    const failures = countedFailures(slot.failures, ended.readyAt, at, backoff);
    const place = { generation: generation.number, slot: slot.index };
    const delayMs = backoffMs(failures, backoff, place);
    out.push(
      {
        type: 'announce',
        event: { event: 'restartScheduled', ...place, failures: failures + 1, delayMs },
      },
      { type: 'armTimer', key: { timer: 'restart', ...place }, delayMs },
    );
    const hasEndedReady = ended.readyAt !== null;
    return { ...slot, failures: failures + 1, workerId: null, restartAt: at + delayMs, hasEndedReady };
  });
}

/** Leaves the slot of `ended` empty, and announces that. */
export function leaveEmpty(
  generation: Generation,
  ended: Worker,
  rest: SlotRest,
  why: 'exited' | 'crashLoop',
  out: Effect[],
): Generation {
  return changeSlotOf(generation, ended, (slot) => {
    const place = { generation: generation.number, slot: slot.index, pid: ended.pid };
    out.push({
      type: 'announce',
      event: { event: 'workerNotReplaced', ...place, why, outcome: rest.outcome },
    });
    return { ...slot, workerId: null, restartAt: null, rest };
  });
}

/** Whether no worker is left in the slots of a generation, and none will be. */
export function isAtRest({ slots }: Generation): boolean {
  return slots.every(({ rest }) => rest !== null);
}

function changeSlotOf(generation: Generation, worker: Worker, change: (slot: Slot) => Slot): Generation {
  const slots = generation.slots.map((slot) => (slot.workerId === worker.id ? change(slot) : slot));
  return { ...generation, slots };
}

export function announceFailed(
  candidate: Generation,
  serving: number | null,
  failure: Failure,
  at: number,
  out: Effect[],
): void {
  out.push({
    type: 'announce',
    event: {
      event: 'generationFailed',
      generation: candidate.number,
      serving,
      durationMs: at - candidate.startedAt,
      failure,
    },
  });
}

/** Returns the program in the phase `serving`, with `current`. */
export function serve(program: Starting | Reloading | OnProbation, current: Generation): Serving {
  return { ...commonOf(program), phase: 'serving', current };
}

/** Disarms the timers of restarts in a generation that is over. */
export function cancelRestarts(generation: Generation, out: Effect[]): void {
  for (const slot of generation.slots) if (slot.workerId === null) out.push(disarmRestart(generation, slot));
}

/** Whether each of these slots has a ready worker, or one that has done its work there. */
export function isComplete(program: Program, slots: readonly Slot[]): boolean {
  return everySlot(program, slots, ({ phase }) => phase === 'ready');
}

/** Whether each of these slots has a worker that has confirmed that it accepts, or one that has done its work there. */
export function isAdmitted(program: Program, slots: readonly Slot[]): boolean {
  return everySlot(program, slots, ({ phase, admission }) => phase === 'ready' && admission === 'confirmed');
}

function everySlot(program: Program, slots: readonly Slot[], is: (worker: Worker) => boolean): boolean {
  return slots.every(
    ({ workerId, rest }) =>
      rest !== null || program.workers.some((worker) => worker.id === workerId && is(worker)),
  );
}

export function holds(generation: Generation, worker: Worker): boolean {
  return generation.slots.some(({ workerId }) => workerId === worker.id);
}

/** Whether a worker has a slot in any generation that has slots. */
export function hasSlot(program: Program, worker: Worker): boolean {
  return generationsOf(program).some((one) => holds(one, worker));
}

/** How much a slot does for clients: most if its worker serves, less if it will soon, least if the slot waits for its restart. */
function rank(program: Program, { workerId }: Slot): number {
  const worker = program.workers.find(({ id }) => id === workerId);
  return worker?.phase === 'ready' ? 2 : worker === undefined ? 0 : 1;
}

function workersIn(program: Program, slots: readonly Slot[]): readonly Worker[] {
  return program.workers.filter(({ id }) => slots.some(({ workerId }) => workerId === id));
}

/** The slots of `generation`, with those of lost workers emptied. */
export function emptySlots({ slots }: Generation, isLost: (workerId: number) => boolean): readonly Slot[] {
  return slots.map((slot) =>
    slot.workerId !== null && isLost(slot.workerId) ? { ...slot, workerId: null, restartAt: null } : slot,
  );
}

export function emptySlot(index: number): Slot {
  return { index, failures: 0, workerId: null, restartAt: null, hasEndedReady: false, rest: null };
}

function disarmRestart(generation: Generation, slot: Slot): Effect {
  return {
    type: 'disarmTimer',
    key: { timer: 'restart', generation: generation.number, slot: slot.index },
  };
}
