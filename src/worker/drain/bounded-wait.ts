/** Waits that have an end: the deadline of a drain, and a time limit for a single piece of work. */
import { longestTimerMs } from '../../shared/durations.ts';

/** The moment at which a drain stops waiting: when its timeout has passed, or earlier if `reach` is called. */
export interface Deadline {
  /** Sets the deadline to this many milliseconds from now. */
  setIn(ms: number): void;
  /** Makes this moment the deadline, for good. */
  reach(): void;
  /** Resolves to true when the work has finished, or to false at the deadline. */
  isMetBy(work: Promise<unknown>): Promise<boolean>;
  /** Waits this long, but not beyond the deadline. */
  pause(ms: number): Promise<void>;
  /** Undoes `setIn`. */
  cancel(): void;
}

export function createDeadline(): Deadline {
  let timer: NodeJS.Timeout | undefined;
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  return {
    setIn(ms) {
      timer = setTimeout(reach, Math.min(ms, longestTimerMs));
    },
    reach: () => {
      reach();
    },
    isMetBy: (work) => Promise.race([work.then(() => true), reached.then(() => false)]),
    async pause(ms) {
      await endsWithin(ms, reached);
    },
    cancel() {
      clearTimeout(timer);
    },
  };
}

/** Resolves to true when the work has finished, or to false after this time. Keeps the process alive until then. */
export async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, longestTimerMs), false);
  });
  try {
    return await Promise.race([work.then(() => true), passed]);
  } finally {
    clearTimeout(timer);
  }
}
