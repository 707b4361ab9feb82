/**
 * Replaces workers that serve, because they have grown too large or too old. A new worker is started beside the old one, for the same slot of the same
 * generation. Once it accepts, it takes the slot and the old one drains. This is done with one worker at a time, and not too often. The next action is
 * derived from the program after every step, so that no transition can forget it. Pure.
 */
import { formatDuration } from '../../../shared/durations.ts';
import type { Failure, ReplacementCause } from '../../../shared/events.ts';
import { backoffMs } from './backoff.ts';
import { emptySlot, fillSlots, hasSlot, holds } from './generations.ts';
import type { Effect } from './inputs.ts';
import {
  isAccepting,
  isLeaving,
  noReplacements,
  type OnProbation,
  type Program,
  type Reloading,
  type Serving,
  type Worker,
} from './state.ts';
import { drainWorkers, workersById } from './worker-commands.ts';

type Running = Serving | Reloading | OnProbation;

/**
 * Replaces a hung worker. If workers do not overlap, it is told to end, and another one is then started in its slot, as after a crash. (The input is
 * repeated while the worker is hung, so that nothing that happens in between can prevent the replacement.)
 */
export function replaceHung(
  program: Serving | Reloading,
  {
    at,
    worker: { id },
    cause,
  }: { readonly at: number; readonly worker: Worker; readonly cause: ReplacementCause },
  out: Effect[],
): Program {
  return program.settings.overlaps
    ? wantReplacement(program, { at, id, cause })
    : drainWorkers(program, workersById(program, id), 'replacement', at, out);
}

/** Notes that a worker is no longer hung. If its replacement is under way already, it is still replaced, but can drain. */
export function forgetHung<P extends Running>(
  program: P,
  { worker: { id } }: { readonly worker: Worker },
): P {
  const { replacements } = program;
  if (replacements.underWay?.worker === id) return program;
  const wanted = replacements.wanted.filter(
    ({ worker, cause }) => worker !== id || cause.reason !== 'watchdog',
  );
  return { ...program, replacements: { ...replacements, wanted } };
}

export function hungFailure({ figure, bound }: ReplacementCause): Failure {
  return {
    reason: 'hung',
    message: `the worker gave no sign of life for ${formatDuration(figure)}`,
    hint: `the limit is ${formatDuration(bound)} (watchdog)`,
    errorCode: null,
    outcome: null,
    stderrTail: [],
  };
}

/** Notes that a worker is to be replaced, unless it does not serve, or this is known already. */
export function wantReplacement(
  program: Running,
  { at, id, cause }: { readonly at: number; readonly id: number; readonly cause: ReplacementCause },
): Program {
  const { replacements, settings } = program;
  const worker = program.workers.find((one) => one.id === id);
  if (worker?.phase !== 'ready' || !hasSlot(program, worker)) return program;
  if (replacements.wanted.some((one) => one.worker === id)) return program;
  // A successor would soon have to be replaced, too: a bound that is too low must not make a program start workers without end.
  const isEarly = worker.readyAt !== null && at - worker.readyAt < settings.backoff.healthyAfterMs;
  return {
    ...program,
    replacements: {
      ...replacements,
      // A hung worker comes first, because the others still serve.
      wanted:
        cause.reason === 'watchdog'
          ? [{ worker: id, cause }, ...replacements.wanted]
          : [...replacements.wanted, { worker: id, cause }],
      failures: isEarly ? replacements.failures + 1 : 0,
    },
  };
}

/** Notes that the timer of the replacements has fired. */
export function replacementDue<P extends Running>(program: P): P {
  return { ...program, replacements: { ...program.replacements, dueAt: null } };
}

/** Whether the worker is the new one of a replacement: it has no slot yet, and must not drain for that reason. */
export function isSuccessor({ replacements }: Program, { id }: Pick<Worker, 'id'>): boolean {
  return replacements.underWay?.successor === id;
}

/** Decides what happens next with the replacements of a program. Has to be called after every step. */
export function tendReplacements(program: Program, at: number, out: Effect[]): Program {
  const { replacements } = program;
  if (replacements.wanted.length === 0 && replacements.underWay === null && replacements.dueAt === null)
    return program;
  if (program.phase !== 'serving' && program.phase !== 'reloading' && program.phase !== 'probation')
    return forgetReplacements(program, out);
  const followed = followUp(program, at, out);
  const wanted = followed.replacements.wanted.filter(({ worker }) => {
    const known = followed.workers.find(({ id }) => id === worker);
    // A worker of the previous generation may serve again.
    return known !== undefined && !isLeaving(known) && hasSlot(followed, known);
  });
  return begin({ ...followed, replacements: { ...followed.replacements, wanted } }, at, out);
}

function forgetReplacements(program: Program, out: Effect[]): Program {
  if (program.replacements.dueAt !== null) out.push({ type: 'disarmTimer', key: { timer: 'replacement' } });
  return { ...program, replacements: noReplacements };
}

/** Handles the result of the replacement that is under way. */
function followUp(program: Running, at: number, out: Effect[]): Running {
  const { underWay } = program.replacements;
  if (underWay === null) return program;
  const successor = program.workers.find(({ id }) => id === underWay.successor);
  const old = program.workers.find(({ id }) => id === underWay.worker);
  const isOldHeld = old !== undefined && holds(program.current, old);
  const ended = { ...program, replacements: { ...program.replacements, underWay: null } };
  if (successor === undefined || isLeaving(successor))
    return isOldHeld ? failed(ended, old, successor, at, out) : ended;
  if (isOldHeld) return isAccepting(successor) ? takeOver(ended, old, successor, at, out) : program;
  // The old worker has ended in the meantime, and its slot waits for its restart: the new worker takes it.
  const slot = program.current.slots.find(
    (one) => one.index === successor.slot && one.workerId === null && one.rest === null,
  );
  if (slot === undefined || successor.generation !== program.current.number)
    return drainWorkers(ended, [successor], 'scaleDown', at, out);
  const key = { timer: 'restart', generation: successor.generation, slot: slot.index } as const;
  out.push({ type: 'disarmTimer', key });
  return giveSlot(ended, slot.index, successor);
}

function takeOver(program: Running, old: Worker, successor: Worker, at: number, out: Effect[]): Running {
  const { generation, slot, pid } = old;
  const wanted = program.replacements.wanted.find(({ worker }) => worker === old.id);
  if (wanted !== undefined)
    out.push({
      type: 'announce',
      event: {
        event: 'workerReplaced',
        generation,
        slot,
        pid,
        successor: successor.pid,
        cause: wanted.cause,
        durationMs: at - successor.startedAt,
      },
    });
  return drainWorkers(giveSlot(program, old.slot, successor), [old], 'replacement', at, out);
}

function failed(
  program: Running,
  old: Worker,
  successor: Worker | undefined,
  at: number,
  out: Effect[],
): Running {
  const { settings, replacements } = program;
  const failures = replacements.failures + 1;
  const { generation, slot, pid } = old;
  const delayMs = Math.max(
    settings.replacementIntervalMs,
    backoffMs(failures, settings.backoff, { generation, slot }),
  );
  const wanted = replacements.wanted.find(({ worker }) => worker === old.id);
  if (wanted !== undefined)
    out.push({
      type: 'announce',
      event: {
        event: 'replacementFailed',
        generation,
        slot,
        pid,
        successor: successor?.pid ?? null,
        cause: wanted.cause,
        failures,
        delayMs,
      },
    });
  return { ...program, replacements: { ...replacements, failures, notBefore: at + delayMs } };
}

/** Begins the next replacement, or arms a timer for the time when it may begin. */
function begin(program: Running, at: number, out: Effect[]): Program {
  const { replacements, settings, current } = program;
  const [next] = replacements.wanted.flatMap(({ worker, cause }) =>
    workersById(program, worker).flatMap((old) =>
      old.phase === 'ready' && holds(current, old) ? { old, cause } : [],
    ),
  );
  const isBusy =
    replacements.underWay !== null ||
    program.phase !== 'serving' ||
    // A reload replaces all workers.
    program.pendingSince !== null ||
    program.workers.some((one) => one.generation === current.number && isLeaving(one));
  const canBegin = next !== undefined && !isBusy;
  if (!canBegin || at < replacements.notBefore) {
    const dueAt = canBegin ? replacements.notBefore : null;
    if (dueAt === replacements.dueAt) return program;
    const key = { timer: 'replacement' } as const;
    out.push(dueAt === null ? { type: 'disarmTimer', key } : { type: 'armTimer', key, delayMs: dueAt - at });
    return { ...program, replacements: { ...replacements, dueAt } };
  }
  const { old, cause } = next;
  if (replacements.dueAt !== null) out.push({ type: 'disarmTimer', key: { timer: 'replacement' } });
  const { generation, slot, pid } = old;
  out.push({ type: 'announce', event: { event: 'replacementStarted', generation, slot, pid, cause } });
  const slots = [emptySlot(slot)];
  const filled = fillSlots(program, { ...current, slots }, slots, at, out).program;
  const pauseMs = Math.max(
    settings.replacementIntervalMs,
    backoffMs(replacements.failures, settings.backoff, { generation, slot }),
  );
  return {
    ...filled,
    replacements: {
      ...replacements,
      underWay: { worker: old.id, successor: filled.lastWorkerId },
      notBefore: at + pauseMs,
      dueAt: null,
    },
  };
}

function giveSlot(program: Running, index: number, { id }: Worker): Running {
  const slots = program.current.slots.map((slot) =>
    slot.index === index ? { ...slot, workerId: id, restartAt: null, rest: null } : slot,
  );
  return { ...program, current: { ...program.current, slots } };
}
