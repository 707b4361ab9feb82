/**
 * The workers that serve after this one, as they are named by the master and greet: who can be offered a connection now, and when there
 * is nobody (any more). It must not know what is offered to them.
 */
import { openOutbound, type Outbound } from './links.ts';

export interface SuccessorEvents {
  /** They are there and take connections, all that were announced together or as many as came in time. May come again, with others. */
  introduced(): void;
  /** Nobody has been there for so long that nobody is expected. */
  missing(): void;
}

export interface Successors {
  /** The end of a pipe to one of them, as it came from the master; `more` are about to come. */
  add(end: unknown, more: number): void;
  /** From now on it is missed when there is none. */
  expect(): void;
  /** Are there some, and none just being introduced? */
  areThere(): boolean;
  list(): readonly Outbound[];
  has(one: Outbound): boolean;
  /** Resolves when they are there, or when it has been waited long enough. */
  wait(): Promise<void>;
}

/** From one of several that greets to the next one. */
const introductionMs = 100;
/** How long it may take until one is named and greets. Meanwhile everything is served as ever. */
const patienceMs = 2_000;

export function createSuccessors(events: SuccessorEvents): Successors {
  /** Those that have not greeted: whoever has just begun to serve does so a little later. */
  const announced = new Set<Outbound>();
  const present = new Set<Outbound>();
  const waiting = new Set<() => void>();
  let isExpected = false;
  /** How many more the master is about to name. */
  let unnamed = 0;
  let introducing: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;

  /** Not before all of them are there: the first would get everything. */
  function awaitOthers(): void {
    clearTimeout(introducing);
    introducing = undefined;
    if (present.size === 0) return;
    if (announced.size + unnamed > 0) introducing = setTimeout(allThere, introductionMs);
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

  const areThere = (): boolean => present.size > 0 && introducing === undefined;

  return {
    add(end, more) {
      unnamed = more;
      const successor = openOutbound(end, {
        greeted() {
          if (successor === null) return;
          announced.delete(successor);
          present.add(successor);
          clearTimeout(patience);
          awaitOthers();
        },
        left: forget,
        ended: forget,
      });
      function forget(): void {
        if (successor === null) return;
        const wasPresent = present.delete(successor);
        const wasAnnounced = announced.delete(successor);
        if (wasAnnounced && introducing !== undefined) awaitOthers();
        // Each answer of one that goes may say so.
        if (wasPresent || wasAnnounced) missIfNone();
      }
      if (successor !== null) announced.add(successor);
    },
    expect() {
      isExpected = true;
      missIfNone();
    },
    areThere,
    list: () => [...present],
    has: (one) => present.has(one),
    async wait() {
      if (areThere()) return;
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
