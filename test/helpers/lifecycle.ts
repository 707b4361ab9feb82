/** A lifecycle without processes: feeds step() and remembers what it wanted, for tables of behaviour. */
import type { Effect, LifecycleInput, WorkerEnd } from '../../src/master/program/lifecycle/inputs.ts';
import {
  idleProgram,
  type BackoffSettings,
  type Capabilities,
  type LifecycleSettings,
  type Program,
} from '../../src/master/program/lifecycle/state.ts';
import { allAtOnce } from '../../src/master/program/lifecycle/rollout.ts';
import { step } from '../../src/master/program/lifecycle/step.ts';
import type { MasterEvent, Failure } from '../../src/shared/events.ts';

export const backoff: BackoffSettings = {
  kind: 'exponential',
  firstMs: 1_000,
  maxMs: 30_000,
  healthyAfterMs: 30_000,
  jitterSeed: null,
};

export const settings: LifecycleSettings = {
  readyTimeoutMs: 30_000,
  drainTimeoutMs: 30_000,
  probationMs: 0,
  killDelayMs: 2_000,
  stopSteps: null,
  debounceMs: 250,
  sameStopMs: 200,
  maxDrainingGenerations: 3,
  overlaps: true,
  replacementIntervalMs: 10_000,
  rollout: allAtOnce,
  backoff,
  restart: { autorestart: 'always', exitCodes: [0], startRetries: 0, crashLoop: null },
};

/** Those of a Node.js worker. */
export const capabilities: Capabilities = { isGated: true, migrates: true, reports: true };

export const failure: Failure = {
  reason: 'exited',
  message: 'the worker exited with code 1 before it was ready',
  hint: null,
  errorCode: null,
  outcome: { code: 1, signal: null },
  stderrTail: ['boom'],
};

export const crash: WorkerEnd = {
  outcome: { code: 1, signal: null },
  failure,
  served: null,
  migrated: null,
  drained: null,
  cut: null,
  cleanUpsCut: 0,
};

export interface Drive {
  readonly program: Program;
  /** Feeds one event; returns the effects it had. */
  send(input: LifecycleInput): readonly Effect[];
  /** The worker says that it is ready; every worker that is admitted by that confirms it. Returns the effects of it all. */
  ready(at: number, worker: number): readonly Effect[];
  /** Every effect so far. */
  readonly effects: readonly Effect[];
  events(): readonly MasterEvent['event'][];
}

/** `able`: what its workers can do. */
export function drive(
  workers = 1,
  given: Partial<LifecycleSettings> = {},
  able: Capabilities = capabilities,
): Drive {
  let program: Program = idleProgram({ ...settings, ...given }, workers);
  const effects: Effect[] = [];
  const send = (input: LifecycleInput): readonly Effect[] => {
    const result = step(program, input);
    program = result.state;
    effects.push(...result.effects);
    return result.effects;
  };
  return {
    get program() {
      return program;
    },
    effects,
    send,
    ready: (at, worker) => {
      const first = send({ type: 'workerSaidReady', at, worker, capabilities: able });
      const asked = first.flatMap((effect) => (effect.type === 'admitWorker' ? [effect.worker] : []));
      return [...first, ...asked.flatMap((one) => send({ type: 'workerAdmitted', at, worker: one }))];
    },
    events: () => effects.flatMap((effect) => (effect.type === 'announce' ? [effect.event.event] : [])),
  };
}

/** A program whose first generation of `workers` serves at time 100; its workers have the ids 1 … n. */
export function serving(
  workers = 1,
  given: Partial<LifecycleSettings> = {},
  able: Capabilities = capabilities,
): Drive {
  const it = drive(workers, given, able);
  it.send({ type: 'startRequested', at: 0 });
  for (let worker = 1; worker <= workers; worker++) {
    it.send({ type: 'workerSpawned', at: 1, worker, pid: 1000 + worker, isGated: able.isGated });
    it.ready(100, worker);
  }
  return it;
}

export function kinds(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => {
    switch (effect.type) {
      case 'announce':
      case 'lookForLeftovers':
        return [];
      case 'startWorker':
      case 'admitWorker':
      case 'pauseWorkerBriefly':
      case 'pauseWorker':
      case 'resumeWorker':
      case 'drainWorker':
      case 'endCommand':
        return [`${effect.type} ${effect.worker}`];
      case 'introduce':
        return [`introduce ${effect.source} ${effect.destination}`];
      case 'signalGroup':
        return [`${effect.signal} ${effect.worker}`];
      case 'armTimer':
        return [`arm ${effect.key.timer} ${effect.delayMs}`];
      case 'disarmTimer':
        return [];
      case 'closeListeners':
      case 'finish':
        return [effect.type];
    }
  });
}
