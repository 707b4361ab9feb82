/**
 * Lets what is asked for at once begin in turns of the event loop of their own. To start a process takes milliseconds: a hundred of them in
 * one turn would keep the master from everything else.
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
