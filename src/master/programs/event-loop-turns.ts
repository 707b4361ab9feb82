/**
 * Spreads starts that are requested at the same time over turns of the event loop. Starting a process takes milliseconds: a hundred starts in one turn
 * would keep the master from everything else.
 */
export function createEventLoopTurns(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    last = last.then(
      () =>
        new Promise((resolve) => {
          setImmediate(resolve);
        }),
    );
    return last;
  };
}
