/** The latest lines of a program's workers, with where they come from: a bounded part of what passes through the master. */
import type { OutputStream } from '../process/platform.ts';

/** Whole lines of one stream of one worker. The last one has not ended if the worker had not ended it. */
export interface KeptBlock {
  readonly bytes: Uint8Array;
  readonly stream: OutputStream;
  readonly generation: number;
  readonly slot: number;
  /** Its pid. */
  readonly worker: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The log file that it goes to; null: it is passed on to stderr. */
  readonly path: string | null;
}

export interface KeptLines {
  add(block: KeptBlock): void;
  /** Oldest first. */
  blocks(): readonly KeptBlock[];
  /** Calls back with every block from now on, until the returned function is called. */
  follow(listener: (block: KeptBlock) => void): () => void;
}

/** For each program. */
const limitBytes = 128 * 1024;
const limitBlocks = 2_048;
const newline = 0x0a;

export function createKeptLines(): KeptLines {
  let kept: KeptBlock[] = [];
  let keptBytes = 0;
  const followers = new Set<(block: KeptBlock) => void>();

  /** Not at every block: what is removed is moved out of the list at once. */
  const shrink = (): void => {
    let first = 0;
    while (keptBytes > limitBytes || kept.length - first > limitBlocks)
      keptBytes -= kept[first++]?.bytes.length ?? 0;
    kept = kept.slice(first);
  };

  return {
    add(block) {
      if (block.bytes.length === 0) return;
      const end = endOf(block);
      kept.push(end);
      keptBytes += end.bytes.length;
      if (keptBytes > 2 * limitBytes || kept.length > 2 * limitBlocks) shrink();
      for (const follower of followers) follower(block);
    },
    blocks() {
      shrink();
      return kept;
    },
    follow(listener) {
      followers.add(listener);
      return () => followers.delete(listener);
    },
  };
}

/** Its last lines, if it is longer than what is kept. */
function endOf(block: KeptBlock): KeptBlock {
  const { bytes } = block;
  if (bytes.length <= limitBytes) return block;
  const cut = bytes.indexOf(newline, bytes.length - limitBytes) + 1;
  // A copy, so that the rest is not held.
  return { ...block, bytes: bytes.slice(cut) };
}
