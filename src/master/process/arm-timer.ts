/** Arms a timer that fires only after everything was read that had arrived by then. Returns a function that cancels it. */
export function arm(delayMs: number, callback: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  // If this process was stopped or starved for a while, a timer fires before waiting signals, messages and output are read. An immediate comes right after
  // them.
  const timer = setTimeout(() => {
    immediate = setImmediate(callback);
  }, delayMs);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
