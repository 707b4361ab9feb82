/** The latest lines of a program's workers, with where they come from: a bounded part of what passes through the master. */
import type { OutputStream } from '../process/platform.ts';
import { newline } from './newlines.ts';

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
  /** The place of the log file that it goes to (log-place.ts); null: it goes to none. */
  readonly path: string | null;
}

export interface KeptLines {
  /** `isContinued`: the first line is the rest of one whose beginning was added before. */
  add(block: KeptBlock, isContinued?: boolean): void;
  /** Oldest first. */
  blocks(): readonly KeptBlock[];
  /** Calls back with every block from now on, until the returned function is called. `ended`: no block comes any more. */
  follow(listener: (block: KeptBlock) => void, ended: () => void): () => void;
  /** The program was removed, or has ended. */
  end(): void;
}

/** For each program. */
const limitBytes = 128 * 1024;
const limitBlocks = 2_048;

export function createKeptLines(): KeptLines {
  let kept: KeptBlock[] = [];
  let keptBytes = 0;
  let hasEnded = false;
  const followers = new Set<Parameters<KeptLines['follow']>>();

  /** Not at every block: what is removed is moved out of the list at once. */
  const shrink = (): void => {
    let first = 0;
    while (keptBytes > limitBytes || kept.length - first > limitBlocks)
      keptBytes -= kept[first++]?.bytes.length ?? 0;
    kept = kept.slice(first);
  };

  return {
    add(given, isContinued = false) {
      // The end of a line does not count as a line.
      const block =
        isContinued && given.bytes[0] === newline ? { ...given, bytes: given.bytes.subarray(1) } : given;
      if (block.bytes.length === 0) return;
      const end = endOf(block);
      kept.push(end);
      keptBytes += end.bytes.length;
      if (keptBytes > 2 * limitBytes || kept.length > 2 * limitBlocks) shrink();
      for (const [listener] of followers) listener(block);
    },
    blocks() {
      shrink();
      return [...kept];
    },
    follow(...follower) {
      followers.add(follower);
      const [, ended] = follower;
      if (hasEnded) ended();
      return () => followers.delete(follower);
    },
    end() {
      hasEnded = true;
      for (const [, ended] of followers) ended();
    },
  };
}

/** The last lines of a block, or the end of the last one if that is longer than what is kept. */
function endOf(block: KeptBlock): KeptBlock {
  const { bytes } = block;
  if (bytes.length <= limitBytes) return block;
  const start = bytes.length - limitBytes;
  const cut = bytes.indexOf(newline, start) + 1;
  // A copy, so that the rest is not held.
  return { ...block, bytes: bytes.slice(cut === 0 || cut === bytes.length ? start : cut) };
}
