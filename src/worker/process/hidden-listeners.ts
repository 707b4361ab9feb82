/**
 * Listeners on `process` that the application does not see and cannot remove: they take the place of Node.js's own listeners and call those,
 * and are put back after `process.removeAllListeners()`, by which some applications make sure that only their own are called.
 */
import type { EventEmitter } from 'node:events';

type Listener = (first: unknown, second: unknown) => void;

/** The events for which Node.js has listeners of its own. Without the first two a signal has no effect; without the third no handle arrives. */
const eventsOfNode = ['newListener', 'removeListener', 'internalMessage'];

/** Typed for any event name: the types of `process` have one overload for each. */
type Emitter = Pick<EventEmitter, 'prependListener' | 'removeListener' | 'listeners'>;

const emitter: Emitter = process;
let kept: (readonly [event: string, listener: Listener])[] = [];
let isKeeping = false;

/** Adds a listener ahead of the application's, which may end the process. It is put back at once when it is removed. */
export function keepListening(event: string, listener: Listener): void {
  beginToKeep();
  kept.push([event, listener]);
  emitter.prependListener(event, listener);
}

/**
 * Adds a listener in the place of Node.js's own, which is called first, so that the number of listeners stays the same. It is put back at once when
 * it is removed.
 */
export function keepInPlace(event: string, listener: Listener): void {
  beginToKeep();
  const original = emitter.listeners(event)[0] as Listener | undefined;
  kept = kept.filter(([name, one]) => name !== event || one !== original);
  if (original !== undefined) emitter.removeListener(event, original);
  keepListening(event, (first, second) => {
    if (original !== undefined) Reflect.apply(original, process, [first, second]);
    listener(first, second);
  });
}

function beginToKeep(): void {
  if (isKeeping) return;
  isKeeping = true;
  for (const event of eventsOfNode) {
    for (const listener of emitter.listeners(event)) kept.push([event, listener as Listener]);
  }
  keepInPlace('removeListener', removed);
}

function removed(event: unknown, listener: unknown): void {
  if (kept.some(([ours, keptListener]) => ours === event && keptListener === listener)) {
    putBack();
    // Put back again later: at its end, removeAllListeners() also removes listeners that were added in between.
    process.nextTick(putBack);
  }
}

function putBack(): void {
  for (const [event, listener] of kept) {
    if (!emitter.listeners(event).includes(listener)) emitter.prependListener(event, listener);
  }
}
