/** The same for many, not all at once. */

/** Acts on each, evenly over this time: on the first at once. Does not keep the process alive. */
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
