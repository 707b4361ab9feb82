/** Carries out the effects of the lifecycle, as system calls and messages to workers. It decides nothing. */
import type { EventWithoutRelease, MasterEvent } from '../../shared/events.ts';
import { isDeclared } from '../config/difference.ts';
import { nodeDrainSignal } from '../launch/worker-kind.ts';
import type { Platform } from '../process/platform.ts';
import { sendListener } from '../process/send-listener.ts';
import { createEndOfListening, type EndOfListening } from '../sockets/end-of-listening.ts';
import { createShutListeners } from '../sockets/shut-listeners.ts';
import type { Effect, TimerKey } from './lifecycle/inputs.ts';
import type { EndSignal, Program } from './lifecycle/state.ts';
import { identity, type RunningWorker } from './running-worker.ts';
import type { StartGate } from './start-gate.ts';
import type { ReadinessJudge } from './readiness-judge.ts';
import { createSlotQueues } from './slot-queues.ts';
import type { Timers } from './timers.ts';
import type { Versions } from './versions.ts';
import type { WorkerProcesses } from './worker-processes.ts';

/**
 * How long an old worker waits at most for a new one to begin to accept. That takes much less; and it is short for a client, which waits in the listener's
 * queue if the new worker does not begin.
 */
const briefPauseMs = 25;

export interface PerformerParts {
  readonly platform: Platform;
  readonly versions: Versions;
  readonly workers: WorkerProcesses;
  readonly gate: StartGate;
  readonly readiness: ReadinessJudge;
  readonly timers: Timers;
  readonly fire: (key: TimerKey) => void;
  /** The name by which all workers of the program are found. */
  readonly tree: string;
  readonly onEvent: (event: MasterEvent) => void;
  /** Called if connections wait in a queue that no worker has. */
  readonly queueLeftBehind: (queue: number, connections: number) => void;
  /** Called when a worker whose gate is the master was admitted: new connections come to it from now on. */
  readonly admitted: (worker: number) => void;
}

export interface Performer {
  /** Directs new connections to workers that accept. Has to be called after each change of the program, before perform(). */
  direct(program: Program): void;
  /** Has to be called when everything about a change has been performed. */
  performed(program: Program): void;
  /** Carries out one effect. Returns the event that reports it, if there is one. */
  perform(effect: Effect): EventWithoutRelease | null;
  /** Tells a worker to pause again, if its brief pause was over before it was told to stay paused. */
  pauseAgain(worker: RunningWorker): void;
  /** Called when the worker with this pid has closed its listeners. */
  acceptsNoMore(pid: number): void;
  /** Called when the worker has ended. */
  ended(worker: RunningWorker): void;
  /** Has to be called when a draining worker was taken over from the previous image of this process. */
  resumedDrain(worker: RunningWorker): void;
  /** Whether a worker is told something only after a while. */
  isWaiting(): boolean;
}

/** How long a queue that no other worker serves may take to become empty. */
const longestEmptyingMs = 5_000;

export function createPerformer(parts: PerformerParts): Performer {
  const { platform, versions, workers, gate, readiness, timers } = parts;
  const listening = (): EndOfListening => createEndOfListening(() => versions.listeners());
  let endOfListening = listening();
  const queues = createSlotQueues(platform, versions, workers.queues, parts.queueLeftBehind);
  /** The pids of draining workers that are not Node.js. */
  const drainingOthers = new Set<number>();
  const shutListeners = createShutListeners(platform, () => versions.listeners(), parts.onEvent);

  function perform(effect: Effect): EventWithoutRelease | null {
    switch (effect.type) {
      case 'startWorker':
        gate.enter(effect);
        return null;
      case 'admitWorker':
        admit(workers.get(effect.worker));
        return null;
      case 'pauseWorkerBriefly':
        pauseBriefly(workers.get(effect.worker));
        return null;
      case 'pauseWorker':
        stopAccepting(workers.get(effect.worker), longestEmptyingMs, pauseForGood);
        return null;
      case 'resumeWorker':
        resume(workers.get(effect.worker));
        return null;
      case 'drainWorker':
        if (!gate.leave(effect.worker)) beginDrain(workers.get(effect.worker), effect);
        return null;
      case 'introduce': {
        const source = workers.get(effect.source);
        const destination = workers.get(effect.destination);
        if (source === undefined || destination === undefined) return null;
        const problem = platform.introduce(source.process, destination.process, effect.more);
        return problem === null ? null : { event: 'migrationFailed', ...identity(source), problem };
      }
      case 'signalGroup':
        if (!gate.leave(effect.worker)) signalGroup(workers.get(effect.worker), effect.signal);
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
        queues.hurry();
        endOfListening.begin(workers.all().map(({ servingPid }) => servingPid));
        lookAtListeners();
        return { event: 'listenersClosed' };
      case 'lookForLeftovers': {
        const held = endOfListening.finish();
        killLeftovers();
        return held;
      }
      case 'announce':
        return effect.event;
      case 'finish':
        timers.disarmAll();
        endOfListening = listening();
        return null;
    }
  }

  function admit(worker: RunningWorker | undefined): void {
    if (worker === undefined) return;
    // A program that does not know graceful-run accepts what comes to its queue, and connections come there once it is admitted.
    if (worker.ownPid === null) parts.admitted(worker.id);
    else worker.process.send({ type: 'admit' });
  }

  function stopAccepting(
    worker: RunningWorker | undefined,
    longestMs: number,
    stop: (worker: RunningWorker) => void,
  ): void {
    if (worker === undefined) return;
    queues.whenServed(worker, longestMs, () => {
      // The worker may have ended in the meantime.
      if (workers.get(worker.id) === worker) stop(worker);
    });
  }

  /** Pauses a worker. `forMs`: for how long, unless the pause is confirmed; null: until it is told to resume. */
  function pause(worker: RunningWorker, forMs: number | null): void {
    worker.isPausedBriefly = forMs !== null;
    for (const listener of versions.listenersOf(worker)) {
      const order = { type: 'pause', name: listener.name, forMs } as const;
      // A worker can stop reading datagrams without closing its copy of the socket.
      if (listener.address.type === 'udp') worker.process.send(order);
      else sendListener(worker.process, order, listener);
    }
  }

  function pauseBriefly(worker: RunningWorker | undefined): void {
    if (worker !== undefined && worker.ownPid !== null) pause(worker, briefPauseMs);
  }

  function pauseForGood(worker: RunningWorker): void {
    // No new connections come to any other program that is paused, and it need not know.
    if (worker.ownPid === null) return;
    if (worker.isPausedBriefly) worker.isPausedBriefly = false;
    else pause(worker, null);
    worker.process.send({ type: 'confirmPause' });
  }

  function resume(worker: RunningWorker | undefined): void {
    if (worker === undefined) return;
    // The worker was not told to pause yet.
    if (queues.forget(worker)) return;
    endOfListening.accepts(worker.process.pid);
    worker.process.send({ type: 'resume' });
  }

  function beginDrain(
    worker: RunningWorker | undefined,
    effect: Extract<Effect, { type: 'drainWorker' }>,
  ): void {
    if (worker !== undefined) worker.isToldToEnd = true;
    const { reason, timeoutMs } = effect;
    // In the other cases, either the worker stops accepting by itself, or no worker will accept and this one empties the queue as it drains.
    const isReplaced = reason !== 'stop' && reason !== 'masterGone' && reason !== 'signal';
    // A hung worker, which gets another signal, empties nothing.
    const mayEmpty = isReplaced && effect.signal === null;
    const longestMs = mayEmpty ? Math.min(longestEmptyingMs, timeoutMs / 2) : 0;
    const begunAt = platform.clock.monotonicMs();
    stopAccepting(worker, longestMs, (one) => {
      const leftMs = Math.round(timeoutMs - (platform.clock.monotonicMs() - begunAt));
      drain(one, { ...effect, timeoutMs: Math.max(0, leftMs) });
    });
  }

  function drain(
    worker: RunningWorker,
    { reason, timeoutMs, migrates, signal: wanted }: Extract<Effect, { type: 'drainWorker' }>,
  ): void {
    readiness.end(worker);
    // The message is sent first, so that the worker can read the reason when the signal arrives.
    const emptiesQueues = reason === 'reload' && !isReplaced(worker);
    worker.process.send({ type: 'drain', reason, timeoutMs, migrates, emptiesQueues });
    // If a process has said ready on the channel, it is Node.js with the preload, whatever the command is.
    const signal = wanted ?? (worker.ownPid === null ? worker.drainSignal : nodeDrainSignal);
    // A worker that has reported that it is stopping is not told again: many programs stop at once at a second signal.
    const isStopping = reason === 'signal' && worker.ownPid === null;
    if (signal !== null && !isStopping) {
      const isForGroup = reason === 'stop' && isStoppedAsGroup(worker);
      if (worker.process.signal === undefined) readiness.findProgram(worker);
      noteTold(worker, signal);
      if (worker.process.signal !== undefined) worker.process.signal(signal, isForGroup);
      else if (isForGroup) platform.signalGroup(worker.process.pid, signal);
      else platform.signalProcess(listenerOf(worker), signal);
    }
    watchListeners(worker);
  }

  function noteTold(worker: RunningWorker, signal: NodeJS.Signals): void {
    worker.toldBy = signal;
    worker.process.noteTold();
  }

  /** Some programs call shutdown(2) on the listener when they are told to end. */
  function watchListeners(worker: RunningWorker): void {
    if (worker.ownPid !== null) return;
    drainingOthers.add(worker.process.pid);
    shutListeners.watch(() => drainingOthers.size > 0);
  }

  /** Whether newer workers accept on every listener that this one accepts on. */
  function isReplaced({ generation }: RunningWorker): boolean {
    const { listeners } = versions.latest().plan;
    return versions.of(generation).plan.listeners.every((own) => isDeclared(own, listeners));
  }

  function signalGroup(worker: RunningWorker | undefined, signal: EndSignal | 'SIGKILL'): void {
    if (worker === undefined) return;
    queues.forget(worker);
    readiness.end(worker);
    worker.isToldToEnd = true;
    if (signal === 'SIGKILL') {
      worker.process.killTree();
      return;
    }
    if (worker.process.signal !== undefined) {
      worker.process.signal(signal, isStoppedAsGroup(worker));
      return;
    }
    const { pid } = worker.process;
    readiness.findProgram(worker);
    noteTold(worker, signal);
    const servingPid = listenerOf(worker);
    // A shell in between would die of SIGTERM at once, and take the group along before the program has finished.
    if (servingPid !== pid && !isStoppedAsGroup(worker)) platform.signalProcess(servingPid, signal);
    else platform.signalGroup(pid, signal);
  }

  function isStoppedAsGroup({ generation }: RunningWorker): boolean {
    return versions.of(generation).plan.stop.isForGroup;
  }

  function killLeftovers(): void {
    const pids = platform.killLeftovers(parts.tree);
    if (pids.length > 0) parts.onEvent({ event: 'leftoversKilled', pids });
  }

  /** The pid of the process that listens. Under `npm start`, its number may be another process's once it has ended. */
  function listenerOf({ process, servingPid }: RunningWorker): number {
    return platform.belongsToWorker(servingPid, process.pid) ? servingPid : process.pid;
  }

  function lookAtListeners(): void {
    endOfListening.look(workers.all().map(({ process }) => process.pid));
  }

  return {
    direct: (program) => {
      queues.direct(program);
    },
    performed: (program) => {
      queues.lookForLeft(program);
    },
    perform,
    pauseAgain: pauseForGood,
    acceptsNoMore(pid) {
      endOfListening.acceptsNoMore(pid);
      lookAtListeners();
    },
    ended(worker) {
      queues.forget(worker);
      const { process } = worker;
      drainingOthers.delete(process.pid);
      shutListeners.look();
      endOfListening.accepts(process.pid);
      lookAtListeners();
    },
    resumedDrain: watchListeners,
    isWaiting: () => queues.isWaiting(),
  };
}
