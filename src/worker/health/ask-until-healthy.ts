/** Asks until the answer is good, after growing pauses, and reports why it is not. Pure but for what `parts` does. */

export interface Asking {
  /** Resolves to null when all is well, else to the reason why not. */
  readonly ask: () => Promise<string | null>;
  readonly pause: (ms: number) => Promise<void>;
  readonly report: (reason: string) => void;
}

const firstPauseMs = 50;
const longestPauseMs = 1_000;

/** Resolves when all is well. Rejects as soon as `ask` or `pause` does. */
export async function askUntilHealthy({ ask, pause, report }: Asking): Promise<void> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const reason = await ask();
    if (reason === null) return;
    report(reason);
    await pause(pauseMs);
  }
}
