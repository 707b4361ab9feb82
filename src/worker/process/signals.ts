/**
 * Catches the signals of this process without a listener on `process`: the application can neither see nor remove it, and
 * the package signal-exit, which counts listeners, finds only its own. It stands in front of Node.js's own way to listen
 * (node-internals/signal-listening.ts).
 */
import type { EventEmitter } from 'node:events';
import { monotonicMs } from '../../shared/clock.ts';
import {
  replaceSwitch,
  startWith,
  stopDespiteListeners,
  type Emit,
} from '../node-internals/signal-listening.ts';
import { currentContext, type Context } from './async-context.ts';
import { keepListening } from './hidden-listeners.ts';
import { signalExitCount, signalNumber } from './other-signal-handlers.ts';

/** What happens to a signal. `passOn`: the application's listeners receive it. `take`: they do not. */
export type SignalHandling = 'passOn' | 'take';

export interface Signals {
  /**
   * Catches the signal: it does nothing by itself any more, and `decide` is called when it arrives. A second call replaces the first. If this Node.js
   * listens for signals differently, the application's listeners receive the signal whatever `decide` returns.
   */
  hold(signal: NodeJS.Signals, decide: () => SignalHandling): void;
  /** Replaces the decision for every signal that is held at this moment. */
  holdOn(decide: (signal: NodeJS.Signals) => SignalHandling): void;
  /** The number of the application's listeners for the signal. */
  listenerCount(signal: NodeJS.Signals): number;
  /** True if the application listens for the signal, and not only signal-exit. */
  isMeant(signal: NodeJS.Signals): boolean;
  /** Calls the application's listeners as if the signal had arrived, in the context in which the first of them was added. */
  emit(signal: NodeJS.Signals): void;
  /** Returns when the listeners were last called for a real signal, on the clock of monotonicMs(); null if they never were. */
  receivedAt(signal: NodeJS.Signals): number | null;
  /** Makes this process call `sent` before it sends itself a signal for which the application has no listener. A second call replaces the first. */
  watchOwn(sent: () => void): void;
  /** Ends every hold: a signal without a listener has its default effect again. */
  release(): void;
}

/** Typed for any event name: the types of `process` have one overload for each. */
const emitter: Pick<EventEmitter, 'emit' | 'listeners' | 'listenerCount'> = process;

/** The signals that end a process by default and are sent for that purpose. */
const kinds: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'];

export function createSignals(): Signals {
  const held = new Map<NodeJS.Signals, () => SignalHandling>();
  const contexts = new Map<NodeJS.Signals, Context>();
  const received = new Map<NodeJS.Signals, number>();
  let whenSent: (() => void) | null = null;
  /** The listeners that graceful-run itself has on `process`, if this Node.js listens for signals differently. */
  const visible = new Map<NodeJS.Signals, () => void>();
  const start = replaceSwitch('newListener', (original) => {
    return function startListeningIfSignal(type) {
      if (!isKind(type)) {
        original(type);
        return;
      }
      if (!contexts.has(type)) contexts.set(type, currentContext());
      startWith(original, type, receive);
    };
  });
  const stop = replaceSwitch('removeListener', (original) => {
    return function stopListeningIfSignal(type) {
      if (isKind(type) && listenerCount(type) === 0) contexts.delete(type);
      if (!isKind(type) || !held.has(type)) original(type);
    };
  });

  /** Stands for `process.emit` when a signal arrives. */
  function receive(event: unknown, ...args: unknown[]): unknown {
    if (!isKind(event)) return emitOfProcess(event, ...args);
    if (listenerCount(event) === 0 && event !== 'SIGTERM') {
      // The listeners that received the signal are gone, and so is their work. (The master sends SIGTERM again while a listener added by once() is at work.)
      received.delete(event);
    }
    const decide = held.get(event);
    if (decide?.() === 'take') return true;
    if (listenerCount(event) > 0) received.set(event, monotonicMs());
    return inContext(event, () => emitOfProcess(event, ...args));
  }

  function inContext<Result>(signal: NodeJS.Signals, action: () => Result): Result {
    const context = contexts.get(signal);
    return context === undefined ? action() : context.run(action);
  }

  function listenerCount(signal: NodeJS.Signals): number {
    return emitter.listeners(signal).filter((one) => one !== visible.get(signal)).length;
  }

  if (start !== null && stop !== null) {
    // For listeners that were added earlier: Node.js has bound another `emit` to their signals.
    for (const signal of kinds) {
      if (emitter.listenerCount(signal) === 0) continue;
      stopDespiteListeners(stop, signal);
      startWith(start, signal, receive);
    }
  }

  return {
    hold(signal, decide) {
      held.set(signal, decide);
      if (start !== null && stop !== null) {
        startWith(start, signal, receive);
        return;
      }
      if (visible.has(signal)) return;
      const listener = (): void => {
        held.get(signal)?.();
      };
      visible.set(signal, listener);
      keepListening(signal, listener);
    },
    holdOn(decide) {
      for (const signal of held.keys()) held.set(signal, () => decide(signal));
    },
    listenerCount,
    isMeant: (signal) => listenerCount(signal) > signalExitCount(),
    emit(signal) {
      inContext(signal, () => emitter.emit(signal, signal, signalNumber(signal)));
    },
    receivedAt: (signal) => received.get(signal) ?? null,
    watchOwn(sent) {
      if (whenSent === null) watchKill((signal) => listenerCount(signal) === 0 && whenSent?.());
      whenSent = sent;
    },
    release() {
      for (const signal of [...held.keys()]) {
        held.delete(signal);
        stop?.(signal);
      }
    },
  };
}

function isKind(type: unknown): type is NodeJS.Signals {
  return kinds.some((kind) => kind === type);
}

const emitOfProcess: Emit = (event, ...args) => {
  // Looked up at every call, because applications replace `emit`.
  const emit: unknown = Reflect.get(process, 'emit');
  return typeof emit === 'function' ? (Reflect.apply(emit, process, [event, ...args]) as unknown) : false;
};

/** Calls `sending` before this process sends itself a signal of `kinds`. */
function watchKill(sending: (signal: NodeJS.Signals) => void): void {
  const kill = process.kill.bind(process);
  process.kill = (pid, signal = 'SIGTERM') => {
    const kind = kinds.find((name) => name === signal || signalNumber(name) === signal);
    if (pid === process.pid && kind !== undefined) sending(kind);
    return kill(pid, signal);
  };
}
