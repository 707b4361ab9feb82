/** So many at the same time, first come first served. It must not know what they do. */

export interface Turns {
  /** Resolves when it is one's turn; call what it gives when the turn is over. */
  take(): Promise<() => void>;
}

export function createTurns(count: number): Turns {
  const waiting: (() => void)[] = [];
  let free = count;

  function over(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    async take() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return over;
    },
  };
}
