/** Probes a worker that starts, again and again, until a probe succeeds; and makes the warm-up requests that follow. */
import type { Platform, StartedProbe } from '../process/platform.ts';

export interface RepeatedProbeParts {
  readonly platform: Pick<Platform, 'arm'>;
  /** Starts one attempt. */
  readonly attempt: () => StartedProbe;
  /** Notes how to cancel what is under way. */
  readonly during: (cancel: () => void) => void;
}

/** The pause before a probe that has failed is repeated. */
const retryMs = 200;

/**
 * Makes attempts until one succeeds. `failed` is called with the problem of each that fails. `ended` is called when an attempt has ended, unless it was
 * cancelled: what was noted with `during` does not have to be cancelled any more.
 */
export function probeUntilSuccess(
  parts: RepeatedProbeParts & {
    readonly ended: () => void;
    readonly failed: (problem: string) => void;
    readonly succeeded: () => void;
  },
): void {
  const { outcome, cancel } = parts.attempt();
  let isOver = false;
  parts.during(() => {
    isOver = true;
    cancel();
  });
  void outcome.then((problem) => {
    if (isOver) return;
    parts.ended();
    if (problem === null) {
      parts.succeeded();
      return;
    }
    parts.failed(problem);
    parts.during(
      parts.platform.arm(retryMs, () => {
        probeUntilSuccess(parts);
      }),
    );
  });
}

/** Makes `times` attempts, one after the other, whatever comes of them; but not for longer than `longestMs`. Then it calls `done`. */
export function warmUp({
  platform,
  attempt,
  during,
  times,
  longestMs,
  done,
}: RepeatedProbeParts & {
  readonly times: number;
  readonly longestMs: number;
  readonly done: () => void;
}): void {
  let current: StartedProbe | null = null;
  let isOver = times === 0;
  const end = (): void => {
    isOver = true;
    current?.cancel();
  };
  const next = (left: number): void => {
    current = attempt();
    void current.outcome.then(() => {
      if (isOver) return;
      if (left > 1) next(left - 1);
      else done();
    });
  };
  if (isOver) {
    done();
    return;
  }
  during(end);
  during(
    platform.arm(longestMs, () => {
      end();
      done();
    }),
  );
  next(times);
}
