/** Carries out what the lifecycle decides: an effect in, a system call or a message to a worker out. It decides nothing. */
import type { EventWithoutRelease } from '../../shared/events.ts';
import { isDeclared } from '../config/difference.ts';
import { nodeDrainSignal } from '../launch/worker-kind.ts';
import type { Platform } from '../process/platform.ts';
import { sendListener } from '../process/send-listener.ts';
import { createEndOfListening, type EndOfListening } from '../sockets/end-of-listening.ts';
import type { Effect, TimerKey } from './lifecycle/inputs.ts';
import { identity, type RunningWorker } from './running-worker.ts';
import type { ReadinessJudge } from './readiness.ts';
import type { Timers } from './timers.ts';
import type { Versions } from './versions.ts';
import type { WorkerProcesses } from './worker-processes.ts';

export interface PerformerParts {
  readonly platform: Platform;
  readonly versions: Versions;
  readonly workers: WorkerProcesses;
  readonly readiness: ReadinessJudge;
  readonly timers: Timers;
  readonly fire: (key: TimerKey) => void;
}

export interface Performer {
  /** Returns the event that is to be told about it, if there is one. */
  perform(effect: Effect): EventWithoutRelease | null;
  /** The worker with this pid has closed its listeners. */
  acceptsNoMore(pid: number): void;
  /** The worker has ended. */
  ended(worker: RunningWorker): void;
}

export function createPerformer(parts: PerformerParts): Performer {
  const { platform, versions, workers, readiness, timers } = parts;
  const listening = (): EndOfListening => createEndOfListening(() => versions.listeners());
  let endOfListening = listening();

  function perform(effect: Effect): EventWithoutRelease | null {
    switch (effect.type) {
      case 'startWorker':
        workers.start(effect);
        return null;
      case 'admitWorker':
        workers.get(effect.worker)?.process.send({ type: 'admit' });
        return null;
      case 'pauseWorker':
        pause(workers.get(effect.worker));
        return null;
      case 'resumeWorker':
        resume(workers.get(effect.worker));
        return null;
      case 'drainWorker':
        drain(workers.get(effect.worker), effect);
        return null;
      case 'introduce': {
        const source = workers.get(effect.source);
        const destination = workers.get(effect.destination);
        if (source === undefined || destination === undefined) return null;
        const problem = platform.introduce(source.process, destination.process, effect.more);
        return problem === null ? null : { event: 'migrationFailed', ...identity(source), problem };
      }
      case 'signalGroup':
        signalGroup(workers.get(effect.worker), effect.signal);
        return null;
      case 'endCommand':
        workers.get(effect.worker)?.process.endWatchers();
        return null;
      case 'armTimer':
        timers.arm(effect.key, effect.delayMs, parts.fire);
        return null;
      case 'disarmTimer':
        timers.disarm(effect.key);
        return null;
      case 'closeListeners':
        endOfListening.begin(workers.all().map(({ servingPid }) => servingPid));
        lookAtListeners();
        return { event: 'listenersClosed' };
      case 'lookForLeftovers':
        return endOfListening.finish();
      case 'announce':
        return effect.event;
      case 'finish':
        timers.disarmAll();
        endOfListening = listening();
        return null;
    }
  }

  function pause(worker: RunningWorker | undefined): void {
    if (worker === undefined) return;
    for (const listener of versions.of(worker.generation).listeners)
      sendListener(worker.process, { type: 'pause', name: listener.name }, listener);
    worker.process.send({ type: 'confirmPause' });
  }

  function resume(worker: RunningWorker | undefined): void {
    if (worker === undefined) return;
    endOfListening.accepts(worker.process.pid);
    worker.process.send({ type: 'resume' });
  }

  function drain(
    worker: RunningWorker | undefined,
    { reason, timeoutMs, migrates }: Extract<Effect, { type: 'drainWorker' }>,
  ): void {
    if (worker === undefined) return;
    readiness.end(worker);
    // The message first: when the signal arrives, the worker can already read why.
    const emptiesQueues = reason === 'reload' && !isReplaced(worker);
    worker.process.send({ type: 'drain', reason, timeoutMs, migrates, emptiesQueues });
    // A process with the preload has said ready, whatever the command is.
    const signal = worker.ownPid === null ? worker.drainSignal : nodeDrainSignal;
    // One that has said itself that it stops is not told again: many programs take a second signal for impatience.
    const isStopping = reason === 'signal' && worker.ownPid === null;
    if (signal !== null && !isStopping) platform.signalProcess(listenerOf(worker), signal);
  }

  /** Newer workers accept on every listener that this one accepts on. */
  function isReplaced({ generation }: RunningWorker): boolean {
    const { listeners } = versions.latest().plan;
    return versions.of(generation).plan.listeners.every((own) => isDeclared(own, listeners));
  }

  function signalGroup(worker: RunningWorker | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
    if (worker === undefined) return;
    readiness.end(worker);
    if (signal === 'SIGKILL') {
      worker.process.killTree();
      return;
    }
    const { pid } = worker.process;
    const servingPid = listenerOf(worker);
    // A shell in between would die of SIGTERM at once, and take the group along before the program has finished.
    if (servingPid !== pid) platform.signalProcess(servingPid, signal);
    else platform.signalGroup(pid, signal);
  }

  /** The process that listens. Under `npm start`, once that has ended, its number may be another process's. */
  function listenerOf({ process, servingPid }: RunningWorker): number {
    return platform.belongsToWorker(servingPid, process.pid) ? servingPid : process.pid;
  }

  function lookAtListeners(): void {
    endOfListening.look(workers.all().map(({ process }) => process.pid));
  }

  return {
    perform,
    acceptsNoMore(pid) {
      endOfListening.acceptsNoMore(pid);
      lookAtListeners();
    },
    ended({ process }) {
      endOfListening.accepts(process.pid);
      lookAtListeners();
    },
  };
}
