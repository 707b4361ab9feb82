/** Decides when a worker is ready: servers listen on all declared listeners and, in manual mode, `worker.ready()` has been called. Pure. */

/** `auto`: ready once the worker listens on every declared listener. `manual`: once `worker.ready()` has also been called. */
export type ReadyMode = 'auto' | 'manual';

export interface Readiness {
  listening(name: string): void;
  readonly released: (name: string) => void;
  /** Delays readiness until the returned function is called. A second call of that function changes nothing. */
  readonly delay: () => () => void;
  /** Call it when the application has run its first turn: from then on a worker without listeners may be ready. */
  readonly loaded: () => void;
  /** Chooses how the worker becomes ready. `tooLate`: it was already announced as ready. */
  readonly choose: (mode: ReadyMode) => 'chosen' | 'disagrees' | 'tooLate';
  /** Call it when the application says that it is ready. Without effect in automatic mode. */
  readonly say: () => void;
}

/** Creates the readiness of a worker. `names`: the declared listeners. Calls `announce` once. */
export function createReadiness(names: readonly string[], announce: () => void): Readiness {
  const silent = new Set(names);
  let chosen: ReadyMode | null = null;
  let isSaid = false;
  let isLoaded = names.length > 0;
  let isAnnounced = false;
  let delays = 0;

  function announceWhenReady(): void {
    if (isAnnounced || !isLoaded || delays > 0 || silent.size > 0 || (chosen === 'manual' && !isSaid)) return;
    isAnnounced = true;
    announce();
  }

  return {
    listening(name) {
      silent.delete(name);
      announceWhenReady();
    },
    released(name) {
      silent.add(name);
    },
    delay() {
      let isDelayed = true;
      delays += 1;
      return () => {
        if (!isDelayed) return;
        isDelayed = false;
        delays -= 1;
        announceWhenReady();
      };
    },
    loaded() {
      isLoaded = true;
      announceWhenReady();
    },
    choose(mode) {
      if (chosen !== null) return chosen === mode ? 'chosen' : 'disagrees';
      if (mode === 'manual' && isAnnounced) return 'tooLate';
      chosen = mode;
      return 'chosen';
    },
    say() {
      isSaid = true;
      announceWhenReady();
    },
  };
}
