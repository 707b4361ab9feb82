import fc from 'fast-check';
import { test } from 'vitest';
import type { Effect, LifecycleInput } from '../../../../../src/master/program/lifecycle/inputs.ts';
import { isImpossible as isImpossibleForProgram } from '../../../../../src/master/program/lifecycle/program-table.ts';
import {
  generationsOf,
  idleProgram,
  isAccepting,
  isResting,
  noCapabilities,
  servingGeneration,
  type LifecycleSettings,
  type Program,
  type Amount,
  type RestartSettings,
  type RolloutSettings,
  type Slot,
} from '../../../../../src/master/program/lifecycle/state.ts';
import { step } from '../../../../../src/master/program/lifecycle/step.ts';
import { isImpossible as isImpossibleForWorker } from '../../../../../src/master/program/lifecycle/worker-table.ts';
import type { MasterEvent } from '../../../../../src/shared/events.ts';
import { capabilities, crash, failure, settings } from '../../../../helpers/lifecycle.ts';
import { expect } from '../../../../helpers/quick-expect.ts';

/**
 * A world of processes and timers as the kernel would have it: it obeys the effects, and what it does next is
 * drawn at random, the late, the double and the stale included.
 */
class World {
  program: Program;
  at = 0;
  readonly alive = new Set<number>();
  readonly admitted = new Set<number>();
  readonly paused = new Set<number>();
  readonly ready = new Set<number>();
  /** Their program ended and was started again. */
  readonly replaced = new Set<number>();
  readonly told = new Set<number>();
  /** Found hung while their generation served, and not forgotten since by a reload or a stop. */
  readonly hungWhileServing = new Set<number>();
  readonly timers = new Map<string, LifecycleInput>();
  finished = 0;
  readonly spawned = new Set<number>();
  /** Programs that do not know graceful-run, or were not recognised as Node.js: they accept whatever they are told. */
  readonly ungated = new Set<number>();
  everServed = false;
  mostWanted = 0;
  onEvent: (event: MasterEvent['event']) => void = () => undefined;
  /** At most one worker was left in the generation that served. */
  wasAtRest = false;
  stopAsked = false;

  constructor(
    workers: number,
    probationMs: number,
    restart: RestartSettings,
    stopSteps: LifecycleSettings['stopSteps'],
    rollout: RolloutSettings,
    overlaps: boolean,
  ) {
    const own = {
      debounceMs: 3,
      maxDrainingGenerations: 2,
      probationMs,
      restart,
      stopSteps,
      rollout,
      overlaps,
    };
    this.program = idleProgram({ ...settings, ...own }, workers);
  }

  feed(input: LifecycleInput): void {
    if (input.type === 'stopRequested') this.stopAsked = true;
    if (input.type === 'startRequested' && isResting(this.program)) {
      this.finished = 0;
      this.everServed = false;
      this.stopAsked = false;
      this.wasAtRest = false;
    }
    if (input.type === 'workerSpawned' && !input.isGated) this.ungated.add(input.worker);
    if (input.type === 'workerSaidReady') {
      // Once known as gated it stays that.
      if (input.capabilities.isGated) this.ungated.delete(input.worker);
      else if (!this.ready.has(input.worker)) this.ungated.add(input.worker);
      this.ready.add(input.worker);
    }
    if (input.type === 'workerRestartedItself' || input.type === 'workerLostProgram')
      this.replaced.add(input.worker);
    if (input.type === 'workerRestartedItself') {
      this.admitted.delete(input.worker);
      if (input.capabilities.isGated) this.ungated.delete(input.worker);
    }
    if (input.type === 'workerEnded') this.alive.delete(input.worker);
    if (input.type === 'workerHung' && this.program.phase === 'serving')
      this.hungWhileServing.add(input.worker);
    if (input.type === 'workerAlive') this.hungWhileServing.delete(input.worker);
    this.expectPossible(input);
    const { state, effects } = step(this.program, input);
    this.expectWithinBounds(state, effects, 'worker' in input ? input.worker : null);
    // Written down and read back, it decides the same: another master may go on with it.
    this.program = JSON.parse(JSON.stringify(state)) as Program;
    expect(this.program).toEqual(state);
    for (const effect of effects) this.obey(effect);
    this.check();
  }

  /** What the tables call impossible does not happen. */
  expectPossible(input: LifecycleInput): void {
    if (!('worker' in input)) {
      expect(isImpossibleForProgram(this.program.phase, input.type)).toBe(false);
      return;
    }
    const worker = this.program.workers.find(({ id }) => id === input.worker);
    if (worker !== undefined) expect(isImpossibleForWorker(worker.phase, input.type)).toBe(false);
  }

  /** In a reload in steps, no worker of the new generation is started beyond max_surge, and no old one is told to go beyond max_unavailable. */
  expectWithinBounds(after: Program, effects: readonly Effect[], about: number | null): void {
    if (after.phase !== 'reloading' || after.settings.rollout.maxSurge === null) return;
    const { candidate, current, workersWanted } = after;
    const surge = amountOf(after.settings.rollout.maxSurge, workersWanted, Math.ceil);
    const unavailable = Math.max(
      surge === 0 ? 1 : 0,
      amountOf(after.settings.rollout.maxUnavailable, workersWanted, Math.floor),
    );
    if (
      effects.some(
        (one) => one.type === 'startWorker' && one.generation === candidate.number && !this.leaves(one.slot),
      )
    )
      expect(after.workers.length).toBeLessThanOrEqual(workersWanted + surge);
    const told = effects.flatMap((one) =>
      one.type === 'drainWorker' && one.reason === 'reload' ? [one.worker] : [],
    );
    const lost = this.program.workers.filter(
      (worker) =>
        // One that this input is about has just ceased to serve by itself.
        worker.id !== about &&
        told.includes(worker.id) &&
        isAccepting(worker) &&
        worker.generation !== candidate.number,
    );
    // Those of a generation that has been replaced as a whole were not told to go for this reload.
    if (servingGeneration(this.program)?.number !== current.number) return;
    // One that new workers have replaced does not count: they serve in its place.
    const replaced = candidate.slots.filter(({ workerId }) =>
      after.workers.some((worker) => worker.id === workerId && isAccepting(worker)),
    );
    if (lost.some(({ slot }) => !replaced.some(({ index }) => index === slot)))
      expect(after.workers.filter(isAccepting).length).toBeGreaterThanOrEqual(workersWanted - unavailable);
    expect(current.slots.length).toBeLessThanOrEqual(Math.max(workersWanted, this.mostWanted));
  }

  /** A worker of the candidate leaves by itself: the one that takes its place is started at once. */
  leaves(slot: number): boolean {
    return (
      this.program.phase === 'reloading' &&
      this.program.candidate.slots.some(({ index, workerId }) => index === slot && workerId !== null)
    );
  }

  obey(effect: Effect): void {
    switch (effect.type) {
      case 'startWorker':
        expect(this.finished).toBe(0);
        this.alive.add(effect.worker);
        break;
      case 'admitWorker':
        // Nobody accepts who is not ready, or was told to go.
        expect(this.ready.has(effect.worker)).toBe(true);
        expect(this.told.has(effect.worker)).toBe(false);
        this.admitted.add(effect.worker);
        break;
      case 'drainWorker':
        this.told.add(effect.worker);
        break;
      case 'signalGroup':
        // What may hold connections of clients is killed only at a second request to stop, or after it was told to drain.
        if (this.ungated.has(effect.worker) && !this.told.has(effect.worker))
          expect(this.stopAsked || this.replaced.has(effect.worker)).toBe(true);
        this.told.add(effect.worker);
        break;
      case 'armTimer':
        this.timers.set(JSON.stringify(effect.key), timerEvent(effect, this.at));
        break;
      case 'disarmTimer':
        this.timers.delete(JSON.stringify(effect.key));
        break;
      case 'pauseWorkerBriefly':
        expect(this.admitted.has(effect.worker)).toBe(true);
        expect(this.ungated.has(effect.worker)).toBe(false);
        expect(this.told.has(effect.worker)).toBe(false);
        break;
      case 'pauseWorker':
        expect(this.admitted.has(effect.worker)).toBe(true);
        expect(this.ungated.has(effect.worker)).toBe(false);
        this.paused.add(effect.worker);
        break;
      case 'resumeWorker':
        expect(this.paused.has(effect.worker)).toBe(true);
        // What would accept again is the process that did before.
        expect(this.admitted.has(effect.worker)).toBe(true);
        expect(this.told.has(effect.worker)).toBe(false);
        this.paused.delete(effect.worker);
        break;
      case 'finish':
        this.finished++;
        break;
      case 'introduce':
        // Connections go from one that was told to go to one that serves.
        expect(this.told.has(effect.source)).toBe(true);
        expect(this.admitted.has(effect.destination)).toBe(true);
        expect(this.told.has(effect.destination)).toBe(false);
        break;
      case 'closeListeners':
      case 'lookForLeftovers':
      case 'endCommand':
        break;
      case 'announce':
        if (effect.event.event === 'rolloutAdvanced') expect(effect.event.serving).toBeGreaterThan(0);
        this.onEvent(effect.event.event);
        break;
    }
  }

  check(): void {
    const { program } = this;
    this.mostWanted = Math.max(this.mostWanted, program.workersWanted);
    // The shell's processes are the lifecycle's workers: nobody is forgotten.
    expect(program.workers.map(({ id }) => id).sort()).toEqual([...this.alive].sort());
    // Once there was a serving generation, there is one until a stop is asked for, or all of its workers have come to their end: no reload takes it down.
    if (servingGeneration(program) !== null) this.everServed = true;
    if (this.everServed && !this.stopAsked && servingGeneration(program) === null)
      expect(this.wasAtRest).toBe(true);
    this.wasAtRest = servingGeneration(program)?.slots.every(isEmptyOrLast) ?? this.wasAtRest;
    // A candidate that waits for its next worker does not wait for nothing: one is about to become ready, to accept or to go, or the next step is due.
    expect(this.timers.has('{"timer":"rollout"}')).toBe(
      program.phase === 'reloading' && program.rollout.nextAt !== null,
    );
    if (
      program.phase === 'reloading' &&
      program.candidate.slots.some(({ workerId, rest }) => workerId === null && rest === null)
    )
      expect(
        program.rollout.nextAt !== null ||
          program.workers.some(({ phase, admission }) => phase !== 'ready' || admission === 'asked'),
      ).toBe(true);
    // Every slot of the serving generation has a worker, or a restart that is armed, or stays empty, which it does not where workers are always replaced.
    const { restart } = program.settings;
    for (const { workerId, index, rest } of servingGeneration(program)?.slots ?? []) {
      const timer = { timer: 'restart', generation: servingGeneration(program)?.number, slot: index };
      const isArmed = this.timers.has(JSON.stringify(timer));
      expect([workerId !== null, isArmed, rest !== null].filter(Boolean)).toHaveLength(1);
      if (restart.autorestart === 'always' && restart.crashLoop === null) expect(rest).toBeNull();
    }
    // A generation that serves and has no worker left comes to rest, unless something else is about to begin.
    if (program.phase === 'serving' && program.pendingSince === null)
      expect(program.current.slots.every(({ rest }) => rest !== null)).toBe(false);
    // A start that has failed is tried again, so often and not more.
    expect(this.timers.has('{"timer":"retry"}')).toBe(program.phase === 'backoff');
    if (program.phase === 'backoff') expect(program.failures).toBeLessThanOrEqual(restart.startRetries);
    // A paused worker belongs to the generation that can take over again; and while there is one, the time is limited.
    const old =
      program.phase === 'probation'
        ? program.previous
        : program.phase === 'reloading'
          ? program.current
          : null;
    const waiting = old?.slots.map(({ workerId }) => workerId) ?? [];
    // Or its generation is over, and it drains as soon as the candidate serves, or has failed.
    const canBeOver =
      program.phase === 'reloading' &&
      program.rollout.servesSince === null &&
      program.settings.rollout.maxSurge === null;
    for (const { id, phase, isPaused, generation } of program.workers)
      if (isPaused && phase === 'ready' && !(canBeOver && generation < program.current.number))
        expect(waiting).toContain(id);
    expect(this.timers.has('{"timer":"probation"}')).toBe(program.phase === 'probation');
    // One that was started only for a queue does not stay when it accepts.
    const held = generationsOf(program).flatMap(({ slots }) => slots.map(({ workerId }) => workerId));
    if (servingGeneration(program) !== null)
      for (const worker of program.workers) if (isAccepting(worker)) expect(held).toContain(worker.id);
    // At most one worker is replaced at a time, and one that is to be replaced does not wait for nothing.
    const { wanted, underWay, dueAt } = program.replacements;
    expect(this.timers.has('{"timer":"replacement"}')).toBe(dueAt !== null);
    if (isResting(program)) expect(wanted.length + (underWay === null ? 0 : 1)).toBe(0);
    if (underWay !== null) {
      const successor = program.workers.find(({ id }) => id === underWay.successor);
      expect(['starting', 'ready']).toContain(successor?.phase);
      expect(held).toContain(underWay.worker);
      expect(held).not.toContain(underWay.successor);
    }
    const mayBegin = wanted.some(({ worker }) =>
      program.workers.some(({ id, phase }) => id === worker && phase === 'ready'),
    );
    if (program.phase === 'serving' && mayBegin && underWay === null && program.pendingSince === null)
      expect(
        dueAt !== null ||
          program.workers.some(
            ({ generation, phase }) =>
              generation === program.current.number && phase !== 'starting' && phase !== 'ready',
          ),
      ).toBe(true);
    // One that is hung and has a slot of the generation that serves is to be replaced, or goes.
    if (program.phase === 'serving' && program.settings.overlaps)
      for (const { id, phase, isHung } of program.workers)
        if (isHung && phase === 'ready' && program.current.slots.some(({ workerId }) => workerId === id))
          expect(this.hungWhileServing.has(id) && !wanted.some(({ worker }) => worker === id)).toBe(false);
    // Every worker has the timer that its phase needs: none waits for ever.
    for (const { id, phase, admission } of program.workers) {
      const needed = { starting: 'ready', draining: 'drain', terminating: 'kill' }[phase as 'starting'] as
        string | undefined;
      const timer = phase === 'ready' && admission === 'asked' ? 'admit' : needed;
      if (timer !== undefined) expect(this.timers.has(JSON.stringify({ timer, worker: id }))).toBe(true);
    }
    // A reload that waits will be looked at again.
    if (program.pendingSince !== null && program.phase === 'serving') {
      const drains = program.workers.some(({ generation }) => generation !== program.current.number);
      expect(this.timers.has('{"timer":"debounce"}') || drains).toBe(true);
    }
    // What rests has neither a process nor a timer.
    expect(this.finished > 0).toBe(isResting(program) && program.phase !== 'idle');
    if (isResting(program)) expect(this.alive.size + this.timers.size).toBe(0);
  }
}

function isEmptyOrLast({ rest }: Slot, _index: number, slots: readonly Slot[]): boolean {
  return rest !== null || slots.filter((one) => one.rest === null).length === 1;
}

function timerEvent(effect: Extract<Effect, { type: 'armTimer' }>, at: number): LifecycleInput {
  const due = at + effect.delayMs;
  const { key } = effect;
  switch (key.timer) {
    case 'ready':
      return { type: 'workerNotReady', at: due, worker: key.worker, failure, mayAccept: true };
    case 'admit':
      return { type: 'admissionFailed', at: due, worker: key.worker, failure };
    case 'drain':
      return { type: 'drainTimedOut', at: due, worker: key.worker };
    case 'kill':
      return { type: 'killTimedOut', at: due, worker: key.worker };
    case 'restart':
      return { type: 'restartDue', at: due, generation: key.generation, slot: key.slot };
    case 'retry':
      return { type: 'retryDue', at: due };
    case 'replacement':
      return { type: 'replacementDue', at: due };
    case 'rollout':
      return { type: 'rolloutDue', at: due };
    case 'debounce':
      return { type: 'debounceElapsed', at: due };
    case 'probation':
      return { type: 'probationElapsed', at: due };
  }
}

const action = fc.record({
  pick: fc.nat(),
  kind: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(
        'spawned',
        'ready',
        'admitted',
        'takesConnections',
        'drains',
        'needsTime',
        'end',
        'exit' as const,
      ),
    },
    { weight: 3, arbitrary: fc.constant('timer' as const) },
    { weight: 3, arbitrary: fc.constant('reload' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'more',
        'less',
        'stale',
        'staleTimer',
        'leftBehind',
        'cannotPause',
        'losesProgram',
        'restartsItself',
        'foundBad',
        'promote',
        'rollback',
        'wornOut',
        'hangs',
        'wakesUp',
        'start' as const,
      ),
    },
  ),
  pause: fc.nat({ max: 5 }),
});

function chosen<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % Math.max(1, items.length)];
}

function play(world: World, { pick, kind }: { pick: number; kind: string }): void {
  const { at } = world;
  const worker = chosen([...world.alive], pick);
  switch (kind) {
    case 'spawned':
      if (worker === undefined || world.spawned.has(worker) || world.ready.has(worker)) return;
      world.spawned.add(worker);
      world.feed({ type: 'workerSpawned', at, worker, pid: worker + 1_000, isGated: pick % 3 > 0 });
      return;
    case 'ready':
      if (worker !== undefined)
        world.feed({
          type: 'workerSaidReady',
          at,
          worker,
          capabilities: pick % 5 > 1 ? capabilities : noCapabilities,
        });
      return;
    case 'admitted':
      // Never before it was asked: but twice, and late.
      if (worker !== undefined && world.admitted.has(worker))
        world.feed({ type: 'workerAdmitted', at, worker });
      return;
    case 'cannotPause':
      if (worker !== undefined && world.paused.has(worker))
        world.feed({ type: 'workerCannotPause', at, worker });
      return;
    case 'losesProgram':
      if (worker !== undefined && world.ready.has(worker))
        world.feed({ type: 'workerLostProgram', at, worker, failure });
      return;
    case 'restartsItself':
      if (worker !== undefined && world.ready.has(worker))
        world.feed({ type: 'workerRestartedItself', at, worker, failure, capabilities });
      return;
    case 'wornOut':
      // Also of one that does not serve, or is replaced already.
      if (worker !== undefined)
        world.feed({
          type: 'replacementWanted',
          at,
          id: worker,
          cause: { reason: 'maxMemory', figure: 2, bound: 1 },
        });
      return;
    case 'hangs':
      if (worker !== undefined)
        world.feed({
          type: 'workerHung',
          at,
          worker,
          cause: { reason: 'watchdog', figure: 2, bound: 1 },
        });
      return;
    case 'wakesUp':
      if (worker !== undefined) world.feed({ type: 'workerAlive', at, worker });
      return;
    case 'takesConnections':
      if (worker !== undefined) world.feed({ type: 'workerTakesConnections', at, worker });
      return;
    case 'drains':
      if (worker !== undefined) world.feed({ type: 'workerSaidItDrains', at, worker });
      return;
    case 'needsTime':
      if (worker !== undefined) world.feed({ type: 'workerNeedsTime', at, worker, needsMs: pick % 100_000 });
      return;
    case 'end':
      if (worker !== undefined) world.feed({ type: 'workerEnded', at, worker, end: crash });
      return;
    case 'exit':
      if (worker !== undefined)
        world.feed({
          type: 'workerEnded',
          at,
          worker,
          end: { ...crash, outcome: { code: 0, signal: null } },
        });
      return;
    case 'timer': {
      const armed = chosen([...world.timers], pick);
      if (armed === undefined) return;
      world.timers.delete(armed[0]);
      world.at = Math.max(at, armed[1].at);
      world.feed({ ...armed[1], at: world.at });
      return;
    }
    case 'reload':
      world.feed({ type: 'reloadRequested', at, cause: 'signal' });
      return;
    case 'start':
      // What rests is started by an operator.
      if (world.program.phase !== 'idle') world.feed({ type: 'startRequested', at });
      return;
    case 'more':
    case 'less':
      world.feed({ type: 'workerCountRequested', at, change: kind === 'more' ? 1 : -1 });
      return;
    case 'leftBehind':
      if (world.everServed) world.feed({ type: 'queueLeftBehind', at, slot: pick % 4, connections: 1 });
      return;
    case 'promote':
    case 'rollback':
      world.feed({ type: kind === 'promote' ? 'promoteRequested' : 'rollbackRequested', at });
      return;
    case 'foundBad':
      // Also a generation that is none any more.
      if (world.everServed)
        world.feed({
          type: 'generationFoundBad',
          at,
          generation: world.program.lastGeneration - (pick % 2),
          failure,
        });
      return;
    case 'onward':
      goOn(world, pick);
      return;
    case 'stale':
      world.feed({ type: 'drainTimedOut', at, worker: 1_000_000 });
      return;
    case 'staleTimer':
      // A restart can only have been armed by a generation that served.
      if (!world.everServed) return;
      world.feed({ type: 'restartDue', at, generation: 1_000_000, slot: 0 });
      return;
  }
}

/** What a worker that is well does next; if none does anything, the next timer fires. */
function goOn(world: World, pick: number): void {
  const { at } = world;
  const moves = world.program.workers.flatMap(({ id: worker, phase, admission }): LifecycleInput[] => {
    const able = worker % 7 === 3 ? noCapabilities : capabilities;
    if (phase === 'starting') return [{ type: 'workerSaidReady', at, worker, capabilities: able }];
    if (phase === 'ready') return admission === 'asked' ? [{ type: 'workerAdmitted', at, worker }] : [];
    return [{ type: 'workerEnded', at, worker, end: crash }];
  });
  const move = chosen(moves, pick);
  if (move !== undefined) {
    world.feed(move);
    return;
  }
  const [next] = [...world.timers].sort(([, one], [, other]) => one.at - other.at);
  if (next === undefined) return;
  world.timers.delete(next[0]);
  world.at = Math.max(at, next[1].at);
  world.feed({ ...next[1], at: world.at });
}

/** One life of a program, from its start to its last process. `againAfter`: a second request to stop comes so much later. */
function live(
  world: World,
  actions: readonly { readonly pick: number; readonly kind: string; readonly pause: number }[],
  againAfter: number | null,
): void {
  world.feed({ type: 'startRequested', at: world.at });
  for (const one of actions) {
    world.at += one.pause;
    play(world, one);
  }
  // (One that rests already is stopped too: that is what is wanted of it from now on.)
  world.finished = 0;
  world.feed({ type: 'stopRequested', at: world.at, cause: 'signal' });
  if (againAfter !== null) {
    world.at += againAfter;
    world.feed({ type: 'stopRequested', at: world.at, cause: 'signal' });
  }
  // No worker reacts to anything: the timers alone must bring all of them to SIGKILL.
  for (let round = 0; round < 1_000 && world.timers.size > 0; round++)
    play(world, { pick: 0, kind: 'timer' });
  for (const worker of [...world.alive]) {
    expect(world.program.workers.find(({ id }) => id === worker)?.phase).toBe('killing');
    world.feed({ type: 'workerEnded', at: world.at, worker, end: crash });
  }
  expect(world.program.phase).toBe('stopped');
}

const restarts: fc.Arbitrary<RestartSettings> = fc.record({
  autorestart: fc.constantFrom('always', 'unexpected', 'never'),
  exitCodes: fc.constantFrom([0], [], [0, 1]),
  startRetries: fc.constantFrom(0, 0, 1, 3),
  crashLoop: fc.constantFrom(null, { deaths: 1, windowMs: 1_000 }, { deaths: 3, windowMs: 60_000 }),
});

const amounts: fc.Arbitrary<Amount> = fc.constantFrom(
  { count: 0 },
  { count: 1 },
  { count: 2 },
  { share: 0.25 },
  { share: 0.5 },
);

const rolloutOf = {
  maxUnavailable: amounts,
  pauseMs: fc.constantFrom(0, 3, 1_000),
  canary: fc.constantFrom(0, 0, 1, 2),
  canaryMs: fc.constantFrom(3, 1_000),
};

const rollouts: fc.Arbitrary<RolloutSettings> = fc.record({ ...rolloutOf, maxSurge: fc.option(amounts) });

function amountOf(amount: Amount, wanted: number, round: (number: number) => number): number {
  return 'count' in amount ? amount.count : round(amount.share * wanted);
}

test('no sequence of inputs breaks an invariant, a stop ends every one, and the program can be started again', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.array(action, { maxLength: 80 }), { minLength: 1, maxLength: 2 }),
      fc.option(fc.nat({ max: 2 * settings.sameStopMs })),
      fc.constantFrom(0, 4, 1_000),
      restarts,
      fc.option(
        fc.array(fc.record({ signal: fc.constantFrom(null, 'SIGINT'), waitMs: fc.nat({ max: 9 }) }), {
          maxLength: 3,
        }),
      ),
      rollouts,
      fc.boolean(),
      (workers, lives, againAfter, probationMs, restart, stopSteps, rollout, overlaps) => {
        const world = new World(workers, probationMs, restart, stopSteps, rollout, overlaps);
        for (const actions of lives) live(world, actions, againAfter);
      },
    ),
    { numRuns: 2_000 },
  );
}, 120_000);

/** Reloads in steps that come far: mostly everything goes well, and now and then something happens in the middle of a step. */
const mostlyWell = fc.record({
  pick: fc.nat(),
  kind: fc.oneof(
    { weight: 20, arbitrary: fc.constant('onward' as const) },
    { weight: 2, arbitrary: fc.constant('reload' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'more',
        'less',
        'takesConnections',
        'drains',
        'end',
        'exit',
        'timer',
        'cannotPause',
        'losesProgram',
        'restartsItself',
        'foundBad',
        'promote',
        'rollback',
        'wornOut',
        'start' as const,
      ),
    },
  ),
  pause: fc.nat({ max: 2 }),
});

test('a reload in steps keeps its bounds and comes to an end, whatever happens in the middle of a step', () => {
  let steps = 0;
  let backs = 0;
  let finished = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(mostlyWell, { minLength: 40, maxLength: 140 }),
      fc.constantFrom(0, 4, 1_000),
      restarts,
      fc.record({ ...rolloutOf, maxSurge: fc.option(amounts) }),
      (workers, actions, probationMs, restart, rollout) => {
        const world = new World(workers, probationMs, restart, null, rollout, true);
        world.onEvent = (event) => {
          if (event === 'rolloutAdvanced') steps++;
          if (event === 'generationRolledBack') backs++;
          if (event === 'generationReady') finished++;
        };
        live(world, actions, null);
      },
    ),
    { numRuns: 400 },
  );
  // It has been there.
  expect(Math.min(steps, backs, finished)).toBeGreaterThan(50);
}, 120_000);
