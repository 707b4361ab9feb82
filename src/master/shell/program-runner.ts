/**
 * Runs one program: feeds the lifecycle with what happens and carries out what it decides. One event is handled
 * to its end before the next one: an effect that causes an event puts it into the queue.
 * It decides nothing; it knows processes, where step.ts knows only numbers.
 */
import type { Fact, Outcome } from '../../shared/facts.ts';
import type { WorkerMessage } from '../../shared/protocol.ts';
import type { Effect, LifecycleEvent, ProgramEvent, TimerKey } from '../lifecycle/events.ts';
import type { Program } from '../lifecycle/state.ts';
import { step } from '../lifecycle/step.ts';
import { exitFailure, notReadyFailure, notStartedFailure } from './failures.ts';
import type { BoundListener } from './listener.ts';
import { identity, lastWords, type LiveWorker } from './live-worker.ts';
import type { Platform, SpawnRequest } from './platform.ts';
import { createStderrTail } from './stderr-tail.ts';
import { createTimers } from './timers.ts';
import { forwardWholeLines } from './whole-lines.ts';
import { readWorkerMessage } from './worker-messages.ts';

export interface RunnerOptions {
  readonly platform: Platform;
  readonly listeners: readonly BoundListener[];
  /** Looks up command, cwd and environment as they are now. Throws GracefulRunError when they do not make a command. */
  readonly prepare: (worker: { generation: number; slot: number }) => SpawnRequest;
  readonly onFact: (fact: Fact) => void;
  /** What workers write to stderr goes on to here, in whole lines. */
  readonly onStderr: (text: string) => void;
}

export interface Runner {
  dispatch(event: Undated<ProgramEvent>): void;
  /** The program as it is now. */
  state(): Program;
}

/** An event without its time: the runner dates it. */
export type Undated<Event> = Event extends unknown ? Omit<Event, 'at'> : never;

const drainSignal = 'SIGQUIT';
/** So many rejected messages of one worker are announced. */
const maxRejections = 10;

export function createRunner(options: RunnerOptions, initial: Program): Runner {
  const { platform, listeners } = options;
  const live = new Map<number, LiveWorker>();
  const timers = createTimers(platform.arm);
  const wide = new Set<string>();
  const queue: LifecycleEvent[] = [];
  let program = initial;
  let isTurning = false;

  function dispatch(event: Undated<LifecycleEvent>): void {
    queue.push({ ...event, at: Math.round(platform.clock.monotonicMs()) });
    if (isTurning) return;
    isTurning = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { state, effects } = step(program, next);
        program = state;
        for (const effect of effects) perform(effect);
      }
    } finally {
      isTurning = false;
    }
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case 'startWorker':
        startWorker(effect);
        return;
      case 'admitWorker':
        live.get(effect.worker)?.process.send({ type: 'admit' });
        return;
      case 'drainWorker': {
        const worker = live.get(effect.worker);
        if (worker === undefined) return;
        // The word first: when the signal arrives, the worker can already read why.
        worker.process.send({ type: 'drain', reason: effect.reason, timeoutMs: effect.timeoutMs });
        platform.signalProcess(worker.servingPid, drainSignal);
        return;
      }
      case 'signalGroup': {
        const worker = live.get(effect.worker);
        if (worker === undefined) return;
        const { process, servingPid } = worker;
        // A shell in between would die of SIGTERM at once, and take the group along before the program has said its last word.
        if (effect.signal === 'SIGTERM' && servingPid !== process.pid)
          platform.signalProcess(servingPid, effect.signal);
        else platform.signalGroup(process.pid, effect.signal);
        return;
      }
      case 'armTimer':
        timers.arm(effect.key, effect.delayMs, fire);
        return;
      case 'disarmTimer':
        timers.disarm(effect.key);
        return;
      case 'closeListeners':
        for (const listener of listeners) listener.close();
        options.onFact({ event: 'listenersClosed' });
        return;
      case 'announce':
        options.onFact(effect.fact);
        return;
      case 'finish':
        timers.disarmAll();
        return;
    }
  }

  function startWorker({ worker: id, generation, slot }: Extract<Effect, { type: 'startWorker' }>): void {
    const tail = createStderrTail();
    const lines = forwardWholeLines(options.onStderr);
    let worker: LiveWorker | null = null;
    const failed = (error: unknown): void => {
      const end = { outcome: null, failure: notStartedFailure(error), served: null, cut: null };
      dispatch({ type: 'workerEnded', worker: id, end });
    };
    const process = attempt(() =>
      platform.spawn(options.prepare({ generation, slot }), {
        message: (raw) => {
          if (worker !== null) receive(worker, raw);
        },
        garbage: () => {
          if (worker !== null) reject(worker, 'not a message');
        },
        stderr: (text) => {
          tail.add(text);
          lines.add(text);
        },
        exit: (outcome) => {
          lines.end();
          if (worker !== null) buryWorker(worker, outcome);
        },
        failed,
      }),
    );
    if (process instanceof Error) failed(process);
    else if (process !== null) {
      worker = {
        id,
        generation,
        slot,
        process,
        tail,
        servingPid: process.pid,
        wasReady: false,
        undeclared: [],
        rejected: 0,
        report: null,
      };
      live.set(id, worker);
      dispatch({ type: 'workerSpawned', worker: id, pid: process.pid });
    }
  }

  function buryWorker(worker: LiveWorker, outcome: Outcome): void {
    const { id, report } = worker;
    live.delete(id);
    const failure = exitFailure(outcome, lastWords(worker, listeners));
    const end = { outcome, failure, served: report?.served ?? null, cut: report?.cut ?? null };
    dispatch({ type: 'workerEnded', worker: id, end });
  }

  function receive(worker: LiveWorker, raw: unknown): void {
    const received = readWorkerMessage(raw);
    switch (received.kind) {
      case 'foreign':
        return;
      case 'broken':
        reject(worker, received.problem);
        return;
      case 'ours':
        obey(worker, received.message);
        return;
    }
  }

  /** Says so a few times: a worker that sends nonsense without end must not fill the log. */
  function reject(worker: LiveWorker, problem: string): void {
    worker.rejected += 1;
    if (worker.rejected > maxRejections) return;
    options.onFact({ event: 'messageRejected', ...identity(worker), problem });
  }

  function obey(worker: LiveWorker, message: WorkerMessage): void {
    switch (message.type) {
      case 'ready':
        // It is going to be signalled: a number that somebody made up must not be.
        if (!platform.isKin(message.pid, worker.process.pid)) {
          reject(worker, `pid ${message.pid} is not one of its processes`);
          return;
        }
        worker.servingPid = message.pid;
        worker.wasReady = true;
        dispatch({ type: 'workerSaidReady', worker: worker.id });
        return;
      case 'undeclaredListen':
        if (!worker.undeclared.includes(message.address)) worker.undeclared.push(message.address);
        options.onFact({ event: 'undeclaredListen', ...identity(worker), address: message.address });
        return;
      case 'wideListen':
        // Every worker of every generation would say it again.
        if (wide.has(message.address)) return;
        wide.add(message.address);
        options.onFact({ event: 'wideListen', ...identity(worker), address: message.address });
        return;
      case 'listenerWanted': {
        const listener = listeners.find(({ name }) => name === message.name);
        if (listener !== undefined) worker.process.send({ type: 'listener', name: message.name }, listener);
        return;
      }
      case 'reloadWanted':
        dispatch({ type: 'reloadRequested', cause: 'worker' });
        return;
      case 'acceptsNoMore':
        options.onFact({ event: 'workerAcceptsNoMore', ...identity(worker) });
        return;
      case 'drained':
        worker.report = { served: message.served, cut: message.cut };
        return;
    }
  }

  function readyTimedOut(id: number): void {
    const worker = live.get(id);
    if (worker === undefined) return;
    const failure = notReadyFailure(program.settings.readyTimeoutMs, lastWords(worker, listeners));
    dispatch({ type: 'readyTimedOut', worker: id, failure });
  }

  function fire(key: TimerKey): void {
    switch (key.timer) {
      case 'ready':
        // When the master itself was stopped for a while, the timer fires before the message is read that has waited: look first.
        platform.arm(0, () => {
          readyTimedOut(key.worker);
        });
        return;
      case 'drain':
        dispatch({ type: 'drainTimedOut', worker: key.worker });
        return;
      case 'kill':
        dispatch({ type: 'killTimedOut', worker: key.worker });
        return;
      case 'restart':
        dispatch({ type: 'restartDue', generation: key.generation, slot: key.slot });
        return;
      case 'settle':
        dispatch({ type: 'settleElapsed' });
        return;
    }
  }

  return { dispatch, state: () => program };
}

/** What `action` returns, or the error that it throws. */
function attempt<Result>(action: () => Result): Result | Error {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
