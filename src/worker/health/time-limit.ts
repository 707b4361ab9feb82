/** A bound on something that can be called off as well: a signal for both, that says which of them it was. */

export interface TimeLimit {
  /** Aborts when the time is over, or when it was called off. */
  readonly signal: AbortSignal;
  /** It is over because of the time. */
  isLate(): boolean;
  /** What was bounded has come to its end. */
  lift(): void;
}

/** The timer keeps no process alive. */
export function limitTime(ms: number, calledOff: AbortSignal): TimeLimit {
  // Not AbortSignal.any(): on Node.js 20 its memory is freed late, and a signal that nobody holds may be freed early.
  const controller = new AbortController();
  let isLate = false;
  const end = (): void => {
    controller.abort();
  };
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, ms).unref();
  calledOff.addEventListener('abort', end, { once: true });
  if (calledOff.aborted) end();
  return {
    signal: controller.signal,
    isLate: () => isLate,
    lift() {
      clearTimeout(timer);
      calledOff.removeEventListener('abort', end);
    },
  };
}
