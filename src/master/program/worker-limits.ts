/**
 * Notices which workers of a program have grown too large (max_memory) or too old (max_lifetime). Loaded only for programs that have such a limit: it
 * has a timer for each worker, or one that looks at their memory, for as long as workers serve.
 */
import type { ReplacementCause } from '../../shared/events.ts';
import type { ReplacementPlan } from '../config/options/replacement-options.ts';
import type { Platform } from '../process/platform.ts';
import type { Program, Worker } from './lifecycle/state.ts';

export interface WorkerLimitParts {
  readonly platform: Pick<Platform, 'arm' | 'clock' | 'residentBytes'>;
  readonly state: () => Program;
  readonly planOf: (generation: number) => ReplacementPlan;
  readonly reached: (worker: number, cause: ReplacementCause) => void;
  /** Returns a random number from 0 to 1. */
  readonly chance: () => number;
}

export interface WorkerLimits {
  /** Has to be called when workers have come or gone, or the plan has changed. */
  look(): void;
}

/** How often the memory of workers is read. */
const sampleMs = 5_000;

/** How many samples in a row have to be above the bound: after a single one, a garbage collection may be about to come. */
const samplesAbove = 2;

/** The share of the lifetime by which a worker may be replaced earlier. */
const jitter = 0.1;

interface Aging {
  readonly lifetimeMs: number;
  readonly cancel: () => void;
}

export function createWorkerLimits({
  platform,
  state,
  planOf,
  reached,
  chance,
}: WorkerLimitParts): WorkerLimits {
  const aging = new Map<number, Aging>();
  const above = new Map<number, number>();
  let stopSampling: (() => void) | null = null;

  function ready(): readonly Worker[] {
    return state().workers.filter(({ phase }) => phase === 'ready');
  }

  function age({ id, generation, readyAt }: Worker): void {
    const lifetimeMs = planOf(generation).maxLifetimeMs;
    const known = aging.get(id);
    if (known?.lifetimeMs === lifetimeMs) return;
    known?.cancel();
    aging.delete(id);
    if (lifetimeMs === null || readyAt === null) return;
    const dueMs = readyAt + lifetimeMs * (1 - jitter * chance()) - platform.clock.monotonicMs();
    const cancel = platform.arm(Math.max(0, Math.round(dueMs)), () => {
      const figure = Math.round(platform.clock.monotonicMs() - readyAt);
      reached(id, { reason: 'maxLifetime', figure, bound: lifetimeMs });
    });
    aging.set(id, { lifetimeMs, cancel });
  }

  function limited(): readonly (Worker & { readonly bound: number; readonly root: number })[] {
    return ready().flatMap((worker) => {
      const bound = planOf(worker.generation).maxMemoryBytes;
      return bound === null || worker.pid === null ? [] : [{ ...worker, bound, root: worker.pid }];
    });
  }

  function sample(): void {
    stopSampling = null;
    const workers = limited();
    const bytes = platform.residentBytes(workers.map(({ root }) => root));
    for (const [index, { id, bound }] of workers.entries()) {
      const figure = bytes[index] ?? 0;
      const samples = figure > bound ? (above.get(id) ?? 0) + 1 : 0;
      above.set(id, samples);
      if (samples >= samplesAbove) reached(id, { reason: 'maxMemory', figure, bound });
    }
    look();
  }

  function look(): void {
    const workers = ready();
    const ids = new Set(workers.map(({ id }) => id));
    for (const [id, { cancel }] of aging) {
      if (ids.has(id)) continue;
      cancel();
      aging.delete(id);
    }
    for (const id of above.keys()) if (!ids.has(id)) above.delete(id);
    for (const worker of workers) age(worker);
    const isSampled = limited().length > 0;
    if (isSampled && stopSampling === null) stopSampling = platform.arm(sampleMs, sample);
    if (!isSampled && stopSampling !== null) {
      stopSampling();
      stopSampling = null;
    }
  }

  return { look };
}
