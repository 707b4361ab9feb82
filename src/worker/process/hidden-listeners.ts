/**
 * Our listeners on `process`, which the application must not remove (`process.removeAllListeners()` is how some make sure that only
 * their own are called), and should not see: they stand in the place of Node.js's own, and call those. It must not know what the events mean.
 */
import type { EventEmitter } from 'node:events';

type Listener = (first: unknown, second: unknown) => void;

/** What Node.js itself hears: without the first two a signal has no effect, without the third no handle arrives. */
const eventsOfNode = ['newListener', 'removeListener', 'internalMessage'];

/** Of any event: the types of `process` have one overload for each. */
type Emitter = Pick<EventEmitter, 'prependListener' | 'removeListener' | 'listeners'>;

const emitter: Emitter = process;
let kept: (readonly [event: string, listener: Listener])[] = [];
let isKeeping = false;

/** Adds a listener for good: ahead of the application's, which may end the process, and put back at once when it is removed. */
export function keepListening(event: string, listener: Listener): void {
  beginToKeep();
  kept.push([event, listener]);
  emitter.prependListener(event, listener);
}

/** The same, in the place of Node.js's own listener, which is called first: so there are as many listeners as without it. */
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
    // The end of removeAllListeners() forgets everything, what was put back meanwhile included.
    process.nextTick(putBack);
  }
}

function putBack(): void {
  for (const [event, listener] of kept) {
    if (!emitter.listeners(event).includes(listener)) emitter.prependListener(event, listener);
  }
}
