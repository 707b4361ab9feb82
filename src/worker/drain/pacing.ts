/** Calls `act` for each item, evenly spread over this time, starting at once. Does not keep the process alive. */
export function forEachPaced<Item>(items: readonly Item[], ms: number, act: (item: Item) => void): void {
  for (const [at, item] of items.entries()) {
    setTimeout(
      () => {
        act(item);
      },
      (at / items.length) * ms,
    ).unref();
  }
}
