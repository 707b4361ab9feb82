/** Processes items one after the other, and holds a limited number of them. Items that arrive when it is full are dropped and counted. */

export interface WorkQueue<Item> {
  add(item: Item): void;
  /** Drops the waiting items for which `isKept` is false, without counting them. */
  keepOnly(isKept: (item: Item) => boolean): void;
  /** Whether an item waits or is being processed. */
  isBusy(): boolean;
  /** Resolves when no item waits and none is being processed. */
  done(): Promise<void>;
}

export interface WorkQueueParts<Item> {
  /** How many items may wait. */
  readonly most: number;
  /** Processes one item. Must not reject. */
  readonly work: (item: Item) => Promise<void>;
  /** Called between two items with the number of items that were dropped since the previous call. */
  readonly dropped: (count: number) => void;
}

export function createWorkQueue<Item>({ most, work, dropped }: WorkQueueParts<Item>): WorkQueue<Item> {
  let waiting: Item[] = [];
  let lost = 0;
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await work(next);
      if (lost === 0) continue;
      const count = lost;
      lost = 0;
      dropped(count);
    }
    running = null;
  }

  return {
    add(item) {
      if (waiting.length >= most) lost += 1;
      else {
        waiting.push(item);
        running ??= run();
      }
    },
    keepOnly(isKept) {
      waiting = waiting.filter(isKept);
    },
    isBusy: () => running !== null,
    async done() {
      while (running !== null) await running;
    },
  };
}
