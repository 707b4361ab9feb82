/**
 * The destinations of this draining worker: the workers that the master has announced and that are ready to take connections. Reports
 * when connections can be offered to them, and when there are none.
 */
import { openSourceEnd, type Destination } from './source-end.ts';

export interface DestinationsEvents {
  /** Called when there are destinations: all that were announced together, or those that opened in time. Called again when others follow. */
  introduced(): void;
  /** Called when there has been no destination for two seconds, so that none is expected any more. */
  missing(): void;
}

export interface Destinations {
  /** Adds a destination. `end`: one end of a pipe to it, as the master sent it. `more`: how many destinations the master announces next. */
  add(end: unknown, more: number): void;
  /** Makes `missing` be called if there are no destinations. */
  expect(): void;
  /** True if there are destinations, and no other is being introduced. */
  areReady(): boolean;
  list(): readonly Destination[];
  has(one: Destination): boolean;
  /** Resolves when the destinations are ready, after two seconds at the latest. */
  wait(): Promise<void>;
}

/**
 * How long to wait for the next of several destinations, while this worker serves as usual. On a busy machine, a worker that has just begun to serve may open
 * its end hundreds of milliseconds later than another.
 */
const introductionMs = 1_000;
/** How long to wait for the first destination. Meanwhile this worker serves as usual. */
const patienceMs = 2_000;

export function createDestinations(events: DestinationsEvents): Destinations {
  /** Destinations that are announced but not open yet: a worker that has just begun to serve opens its end a little later. */
  const announced = new Set<Destination>();
  const present = new Set<Destination>();
  const waiting = new Set<() => void>();
  let isExpected = false;
  /** How many more destinations the master is about to announce. */
  let unannounced = 0;
  let introducing: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;

  /** Waits until all destinations are open: otherwise the first one would get every connection. */
  function awaitOthers(): void {
    clearTimeout(introducing);
    introducing = undefined;
    if (present.size === 0) return;
    if (announced.size + unannounced > 0) introducing = setTimeout(allThere, introductionMs);
    else allThere();
  }

  function allThere(): void {
    introducing = undefined;
    if (present.size === 0) return;
    for (const wake of waiting) wake();
    waiting.clear();
    events.introduced();
  }

  function missIfNone(): void {
    if (present.size > 0 || !isExpected) return;
    clearTimeout(patience);
    patience = setTimeout(() => {
      events.missing();
    }, patienceMs);
  }

  const areReady = (): boolean => present.size > 0 && introducing === undefined;

  return {
    add(end, more) {
      unannounced = more;
      const destination = openSourceEnd(end, {
        opened() {
          if (destination === null) return;
          announced.delete(destination);
          present.add(destination);
          clearTimeout(patience);
          awaitOthers();
        },
        draining: forget,
        closed: forget,
      });
      function forget(): void {
        if (destination === null) return;
        const wasPresent = present.delete(destination);
        const wasAnnounced = announced.delete(destination);
        if (wasAnnounced && introducing !== undefined) awaitOthers();
        // Only the first time, because a destination that drains says so in every answer.
        if (wasPresent || wasAnnounced) missIfNone();
      }
      if (destination !== null) announced.add(destination);
    },
    expect() {
      isExpected = true;
      missIfNone();
    },
    areReady,
    list: () => [...present],
    has: (one) => present.has(one),
    async wait() {
      if (areReady()) return;
      await new Promise<void>((resolve) => {
        const timeout = setTimeout(resolve, patienceMs);
        waiting.add(() => {
          clearTimeout(timeout);
          resolve();
        });
      });
    },
  };
}

/** Returns the destination with the fewest offers so far (the first of several such); null if there is none. */
export function leastOffered(among: readonly Destination[]): Destination | null {
  return among.reduce<Destination | null>(
    (least, one) => (least === null || one.offered() < least.offered() ? one : least),
    null,
  );
}
