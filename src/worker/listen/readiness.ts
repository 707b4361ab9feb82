/** When a worker is ready: all declared listeners listen and, in manual mode, the application has said so. Pure. */

export type ReadyMode = 'auto' | 'manual';

export interface Readiness {
  listening(name: string): void;
  readonly released: (name: string) => void;
  /** Nothing is announced until what this returns is called; calling that again changes nothing. */
  readonly delay: () => () => void;
  /** The application has had its first turn: a worker without listeners may become ready from now on. */
  readonly loaded: () => void;
  /** The application says how it becomes ready; `tooLate` when it has been said to be ready already. */
  readonly choose: (mode: ReadyMode) => 'chosen' | 'disagrees' | 'tooLate';
  /** The application says that it is ready (manual mode; otherwise without effect). */
  readonly say: () => void;
}

/** `announce` is called once. */
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
