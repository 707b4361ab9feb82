/** Resolves in the next turn of the event loop: events that have arrived meanwhile are handled first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
