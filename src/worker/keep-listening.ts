/**
 * Our listeners on `process`, which the application must not remove: `process.removeAllListeners()` is how some make
 * sure that only their own are called. It must not know what the events mean.
 */
import type { EventEmitter } from 'node:events';

type Listener = (first: unknown, second: unknown) => void;

/** What Node.js itself hears: without the first two a signal has no effect, without the third no handle arrives. */
const eventsOfNode = ['newListener', 'removeListener', 'internalMessage'];

/** Of any event: the types of `process` have one overload for each. */
type Emitter = Pick<EventEmitter, 'on' | 'prependListener' | 'listeners'>;

const emitter: Emitter = process;
const kept: (readonly [event: string, listener: Listener])[] = [];

/** Adds a listener for good: ahead of the application's, which may end the process, and put back at once when it is removed. */
export function keepListening(event: string, listener: Listener): void {
  if (kept.length === 0) beginToKeep();
  kept.push([event, listener]);
  emitter.prependListener(event, listener);
}

function beginToKeep(): void {
  for (const event of eventsOfNode) {
    for (const listener of emitter.listeners(event)) kept.push([event, listener as Listener]);
  }
  // Ahead of Node.js's own, which stops hearing a signal when nobody listens: so there is no moment without a listener.
  emitter.prependListener('removeListener', removed);
}

function removed(event: string | symbol, listener: unknown): void {
  if (kept.some(([ours, keptListener]) => ours === event && keptListener === listener)) {
    putBack();
    // The end of removeAllListeners() forgets everything, what was put back meanwhile included.
    process.nextTick(putBack);
  }
}

function putBack(): void {
  if (!emitter.listeners('removeListener').includes(removed))
    emitter.prependListener('removeListener', removed);
  for (const [event, listener] of kept) {
    if (!emitter.listeners(event).includes(listener)) emitter.prependListener(event, listener);
  }
}
