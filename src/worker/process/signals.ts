/**
 * The signals that reach this process, heard without a listener on `process`: the application can neither see nor remove
 * what hears them, and signal-exit, which counts the listeners, finds its own alone. It must not know what a signal means.
 *
 * Node.js listens for a signal as soon as `process` has a listener for it, in two functions that are listeners themselves, and
 * binds `process.emit`, as it is at that moment (20, 22, 24 and 26; not documented). Ours stand in front of both.
 */
import type { EventEmitter } from 'node:events';
import { signalNumber } from './other-signal-handlers.ts';
import { nowMs } from './monotonic-time.ts';
import { currentContext, type Context } from './async-context.ts';
import { keepListening } from './hidden-listeners.ts';
import { signalExitCount } from './other-signal-handlers.ts';

/** What becomes of a signal: the application's listeners hear it, or nothing but us does. */
export type Hearing = 'passOn' | 'take';

export interface Signals {
  /**
   * From now on the signal does nothing by itself: `decide` is asked. A second call replaces the first. On a Node.js that works
   * otherwise, the application's listeners hear it whatever the answer is.
   */
  hold(signal: NodeJS.Signals, decide: () => Hearing): void;
  /** The same for every signal that is held now. */
  holdOn(decide: (signal: NodeJS.Signals) => Hearing): void;
  /** The application's listeners of this signal. */
  listenerCount(signal: NodeJS.Signals): number;
  /** Does the application listen for it, and not only signal-exit? */
  isMeant(signal: NodeJS.Signals): boolean;
  /** Calls them, as if the signal had come, in the context in which the first of them was added. */
  emit(signal: NodeJS.Signals): void;
  /** When they were last called for a real signal, on the clock of nowMs(); null: never. */
  heardAt(signal: NodeJS.Signals): number | null;
  /** From now on `sent` is called before this process sends itself one of these signals and nothing listens for it. A second call replaces the first. */
  watchOwn(sent: () => void): void;
  /** Nothing is held any more: a signal without a listener does what it does by default. */
  release(): void;
}

type OfNode = (type: unknown) => void;
type Emit = (event: unknown, ...args: unknown[]) => unknown;

/** Of any event: the types of `process` have one overload for each. */
const emitter: Pick<EventEmitter, 'emit' | 'listeners' | 'listenerCount' | 'on' | 'removeListener'> = process;

/** Those that end a process by default, and that are sent to end one. */
const kinds: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'];

export function createSignals(): Signals {
  const held = new Map<NodeJS.Signals, () => Hearing>();
  const contexts = new Map<NodeJS.Signals, Context>();
  const heard = new Map<NodeJS.Signals, number>();
  let whenSent: (() => void) | null = null;
  const visible = new Map<NodeJS.Signals, () => void>();
  const start = replaceListener('newListener', 'startListeningIfSignal', (original) => {
    return function startListeningIfSignal(type) {
      if (!isKind(type)) {
        original(type);
        return;
      }
      if (!contexts.has(type)) contexts.set(type, currentContext());
      startWith(original, type);
    };
  });
  const stop = replaceListener('removeListener', 'stopListeningIfSignal', (original) => {
    return function stopListeningIfSignal(type) {
      if (isKind(type) && listenerCount(type) === 0) contexts.delete(type);
      if (!isKind(type) || !held.has(type)) original(type);
    };
  });

  function startWith(original: OfNode, signal: NodeJS.Signals): void {
    withOwn('emit', hear, () => {
      original(signal);
    });
  }

  /** Stands for `process.emit` when Node.js has a signal. */
  function hear(event: unknown, ...args: unknown[]): unknown {
    if (!isKind(event)) return emitOfProcess(event, ...args);
    if (listenerCount(event) === 0 && event !== 'SIGTERM') {
      // Its listeners are gone, and with them what they did. (SIGTERM comes again from the master, while one that hears it once is at work.)
      heard.delete(event);
    }
    const decide = held.get(event);
    if (decide?.() === 'take') return true;
    if (listenerCount(event) > 0) heard.set(event, nowMs());
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
    // Its listener was added before we came, and Node.js has bound another `emit` to it.
    for (const signal of kinds) {
      if (emitter.listenerCount(signal) === 0) continue;
      const none = (): number => 0;
      withOwn('listenerCount', none, () => {
        stop(signal);
      });
      startWith(start, signal);
    }
  }

  return {
    hold(signal, decide) {
      held.set(signal, decide);
      if (start !== null && stop !== null) {
        startWith(start, signal);
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
    heardAt: (signal) => heard.get(signal) ?? null,
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
  // Looked up late: applications replace it.
  const emit: unknown = Reflect.get(process, 'emit');
  return typeof emit === 'function' ? (Reflect.apply(emit, process, [event, ...args]) as unknown) : false;
};

/** Calls `sending` before this process sends itself one of these signals. */
function watchKill(sending: (signal: NodeJS.Signals) => void): void {
  const kill = process.kill.bind(process);
  process.kill = (pid, signal = 'SIGTERM') => {
    const kind = kinds.find((name) => name === signal || signalNumber(name) === signal);
    if (pid === process.pid && kind !== undefined) sending(kind);
    return kill(pid, signal);
  };
}

/** Puts what `make` makes of one of Node.js's own listeners in its place. Answers the original; null: there is none. */
function replaceListener(
  event: 'newListener' | 'removeListener',
  name: string,
  make: (original: OfNode) => OfNode,
): OfNode | null {
  const found = emitter.listeners(event).find((one) => one.name === name);
  if (found === undefined) return null;
  const original: OfNode = (type) => {
    Reflect.apply(found, process, [type]);
  };
  emitter.removeListener(event, found as OfNode);
  emitter.on(event, make(original));
  return original;
}

/** Calls `action` while `process` has this property. */
function withOwn(name: 'emit' | 'listenerCount', value: unknown, action: () => void): void {
  const own = Object.getOwnPropertyDescriptor(process, name);
  Object.defineProperty(process, name, { value, configurable: true, writable: true });
  try {
    action();
  } finally {
    if (own === undefined) Reflect.deleteProperty(process, name);
    else Object.defineProperty(process, name, own);
  }
}
