// A day of crashes on a clock of its own: nothing grows, no pause is longer than it may be, and what can serve serves.
import fc from 'fast-check';
import { test } from 'vitest';
import {
  silentEnd,
  type Effect,
  type LifecycleInput,
  type TimerKey,
} from '../../../../../src/master/program/lifecycle/inputs.ts';
import {
  idleProgram,
  isAccepting,
  isResting,
  noCapabilities,
  type LifecycleSettings,
  type Program,
} from '../../../../../src/master/program/lifecycle/state.ts';
import { step } from '../../../../../src/master/program/lifecycle/step.ts';
import { failure, settings } from '../../../../helpers/lifecycle.ts';
import { expect } from '../../../../helpers/quick-expect.ts';

const dayMs = 24 * 60 * 60 * 1_000;

interface Planned {
  readonly at: number;
  readonly order: number;
  readonly input: (at: number) => LifecycleInput;
}

interface Behaviour {
  /** How many of ten starts fail. */
  readonly failsOfTen: number;
  /** How long a worker lives at most once it is ready. */
  readonly livesMs: number;
}

/** Runs a program whose workers behave like that until `endMs`; numbers in [0, 1) come from `chance`. */
class Day {
  program: Program;
  readonly behaviour: Behaviour;
  readonly chance: () => number;
  now = 0;
  starts = 0;
  servedMs = 0;
  longestPauseMs = 0;
  readonly #timers = new Map<string, Planned>();
  #lives: Planned[] = [];
  #order = 0;

  constructor(
    workers: number,
    given: Partial<LifecycleSettings>,
    behaviour: Behaviour,
    chance: () => number,
  ) {
    this.behaviour = behaviour;
    this.chance = chance;
    this.program = idleProgram({ ...settings, ...given }, workers);
  }

  run(endMs: number): void {
    this.#feed({ type: 'startRequested', at: 0 });
    while (this.now < endMs) {
      const next = this.#next();
      if (next === null) return;
      const at = Math.min(next.at, endMs);
      if (this.program.workers.some(isAccepting)) this.servedMs += at - this.now;
      this.now = at;
      if (next.at > endMs) return;
      this.#feed(next.input(at));
    }
  }

  /** The earliest of what is armed and of what workers do. */
  #next(): Planned | null {
    let next: Planned | null = null;
    for (const one of [...this.#timers.values(), ...this.#lives])
      if (next === null || one.at < next.at || (one.at === next.at && one.order < next.order)) next = one;
    if (next === null) return null;
    for (const [key, one] of this.#timers) if (one === next) this.#timers.delete(key);
    this.#lives = this.#lives.filter((one) => one !== next);
    return next;
  }

  #feed(input: LifecycleInput): void {
    const { state, effects } = step(this.program, input);
    this.program = state;
    for (const effect of effects) this.#obey(effect);
    // Nothing grows: not with the number of crashes, nor with that of generations.
    expect(JSON.stringify(state).length).toBeLessThan(20_000);
    expect(this.#timers.size).toBeLessThan(20);
  }

  #plan(inMs: number, input: Planned['input']): Planned {
    return { at: this.now + Math.round(inMs), order: ++this.#order, input };
  }

  #obey(effect: Effect): void {
    if (effect.type === 'announce') {
      expect(effect.event.event).not.toBe('internalError');
      return;
    }
    if (effect.type === 'armTimer') {
      if (effect.key.timer === 'restart' || effect.key.timer === 'retry')
        this.longestPauseMs = Math.max(this.longestPauseMs, effect.delayMs);
      this.#timers.set(
        JSON.stringify(effect.key),
        this.#plan(effect.delayMs, (at) => due(effect.key, at)),
      );
    }
    if (effect.type === 'disarmTimer') this.#timers.delete(JSON.stringify(effect.key));
    if (effect.type === 'startWorker') this.#live(effect.worker);
    if (effect.type === 'signalGroup' || effect.type === 'drainWorker')
      this.#lives.push(this.#plan(100, (at) => ended(at, effect.worker)));
  }

  #live(worker: number): void {
    this.starts += 1;
    const { failsOfTen, livesMs } = this.behaviour;
    const startsMs = 100 + 900 * this.chance();
    this.#lives.push(
      this.#plan(0, (at) => ({ type: 'workerSpawned', at, worker, pid: worker + 1_000, isGated: false })),
    );
    if (this.chance() * 10 < failsOfTen) {
      this.#lives.push(this.#plan(startsMs, (at) => ended(at, worker)));
      return;
    }
    this.#lives.push(
      this.#plan(startsMs, (at) => ({ type: 'workerSaidReady', at, worker, capabilities: noCapabilities })),
      this.#plan(startsMs + livesMs * this.chance(), (at) => ended(at, worker)),
    );
  }
}

function ended(at: number, worker: number): LifecycleInput {
  return {
    type: 'workerEnded',
    at,
    worker,
    end: { ...silentEnd(failure), outcome: { code: 1, signal: null } },
  };
}

function due(key: TimerKey, at: number): LifecycleInput {
  switch (key.timer) {
    case 'ready':
      return { type: 'workerNotReady', at, worker: key.worker, failure, mayAccept: true };
    case 'admit':
      return { type: 'admissionFailed', at, worker: key.worker, failure };
    case 'drain':
      return { type: 'drainTimedOut', at, worker: key.worker };
    case 'kill':
      return { type: 'killTimedOut', at, worker: key.worker };
    case 'restart':
      return { type: 'restartDue', at, generation: key.generation, slot: key.slot };
    case 'retry':
      return { type: 'retryDue', at };
    case 'replacement':
      return { type: 'replacementDue', at };
    case 'rollout':
      return { type: 'rolloutDue', at };
    case 'debounce':
      return { type: 'debounceElapsed', at };
    case 'probation':
      return { type: 'probationElapsed', at };
  }
}

/** Always the same numbers for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const retries = { restart: { ...settings.restart, startRetries: 1_000_000 } };

test('in a day of crashes a program is started again and again, with no pause above the cap, and serves in between', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 3 }),
      fc.record({
        failsOfTen: fc.integer({ min: 0, max: 8 }),
        livesMs: fc.constantFrom(2_000, 60_000, 600_000),
      }),
      (seed, workers, behaviour) => {
        const day = new Day(
          workers,
          { ...retries, backoff: { ...settings.backoff, jitterSeed: seed } },
          behaviour,
          chanceOf(seed),
        );
        day.run(dayMs);
        expect(isResting(day.program)).toBe(false);
        expect(day.longestPauseMs).toBeLessThanOrEqual(settings.backoff.maxMs);
        // At least one start within the longest pause and the longest start, for each worker.
        expect(day.starts).toBeGreaterThan(dayMs / (settings.backoff.maxMs + behaviour.livesMs + 1_000));
        expect(day.servedMs).toBeGreaterThan(0);
      },
    ),
    { numRuns: 6 },
  );
}, 120_000);

test('a program whose starts fail comes to rest after its retries, whatever the backoff', () => {
  for (const kind of ['exponential', 'linear'] as const) {
    const day = new Day(
      1,
      {
        restart: { ...settings.restart, startRetries: 5 },
        backoff: { ...settings.backoff, kind },
      },
      { failsOfTen: 10, livesMs: 0 },
      chanceOf(1),
    );
    day.run(dayMs);
    expect(day.program.phase).toBe('failed');
    expect(day.starts).toBe(6);
    expect(day.now).toBeLessThan(60_000);
  }
});

test('a program that dies right after it was ready comes to rest if it has a crash loop, and only then', () => {
  const dies = { failsOfTen: 0, livesMs: 10 };
  const free = new Day(1, {}, dies, chanceOf(1));
  free.run(dayMs);
  expect(free.program.phase).toBe('serving');
  // 30 seconds between two starts, not a busy loop.
  expect(free.starts).toBeLessThan(dayMs / settings.backoff.maxMs + 20);
  const limited = new Day(
    2,
    { restart: { ...settings.restart, crashLoop: { deaths: 10, windowMs: 300_000 } } },
    dies,
    chanceOf(1),
  );
  limited.run(dayMs);
  expect(limited.program.phase).toBe('failed');
  expect(limited.starts).toBeLessThan(20);
});
