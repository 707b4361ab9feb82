/** A time limit for something that can also be called off: one signal for both, which tells them apart. */

export interface TimeLimit {
  /** Aborts when the time is over, or when it is called off. */
  readonly signal: AbortSignal;
  /** True if the time is over. */
  isLate(): boolean;
  /** Ends the limit: the limited action is complete. */
  lift(): void;
}

/** Starts the limit. Its timer does not keep the process alive. */
export function limitTime(ms: number, calledOff: AbortSignal): TimeLimit {
  // Not AbortSignal.any(): on Node.js 20 its memory is freed late, and a signal without a reference may be freed early.
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
