/**
 * How Node.js listens for signals (Node 20, 22, 24 and 26; not documented). Two listeners of its own on `process`, for 'newListener' and
 * 'removeListener', start and stop listening for a signal. What is started calls `process.emit` as it was at that moment.
 */
import type { EventEmitter } from 'node:events';

/** Starts or stops listening for a signal; does nothing for any other event. */
export type ListeningSwitch = (event: unknown) => void;

export type Emit = (event: unknown, ...args: unknown[]) => unknown;

/** Typed for any event name: the types of `process` have one overload for each. */
const emitter: Pick<EventEmitter, 'listeners' | 'on' | 'removeListener'> = process;

const switches = {
  newListener: 'startListeningIfSignal',
  removeListener: 'stopListeningIfSignal',
} as const;

/**
 * Replaces the listener that Node.js has for 'newListener', which starts, or for 'removeListener', which stops. `make` gets the original. Returns the
 * original, or null if this Node.js works differently; then nothing is replaced.
 */
export function replaceSwitch(
  event: keyof typeof switches,
  make: (original: ListeningSwitch) => ListeningSwitch,
): ListeningSwitch | null {
  const found = emitter.listeners(event).find((one) => one.name === switches[event]);
  if (found === undefined) return null;
  const original: ListeningSwitch = (type) => {
    Reflect.apply(found, process, [type]);
  };
  emitter.removeListener(event, found as ListeningSwitch);
  emitter.on(event, make(original));
  return original;
}

/** Starts listening for the signal, so that `emit` is called when it arrives. */
export function startWith(start: ListeningSwitch, signal: NodeJS.Signals, emit: Emit): void {
  withOwn('emit', emit, () => {
    start(signal);
  });
}

/** Stops listening for the signal although `process` has listeners for it. */
export function stopDespiteListeners(stop: ListeningSwitch, signal: NodeJS.Signals): void {
  withOwn(
    'listenerCount',
    () => 0,
    () => {
      stop(signal);
    },
  );
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
