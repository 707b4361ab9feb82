/** Shares an expensive result between all callers in the same turn of the event loop, such as a hundred programs that stop together. */

/** Returns a function that calls `read` at most once in a turn of the event loop. */
export function oncePerTurn<Value>(read: () => Value): () => Value {
  let current: { readonly value: Value } | null = null;
  return () => {
    if (current !== null) return current.value;
    current = { value: read() };
    setImmediate(() => {
      current = null;
    });
    return current.value;
  };
}
