/** The latest lines of a program's workers, each with the worker that wrote it: a bounded part of the output that passes through the master. */
import type { OutputStream } from '../process/platform.ts';
import { afterNewline, newline } from './newlines.ts';

/** Whole lines of one stream of one worker. The last one may lack its end. */
export interface KeptBlock {
  readonly bytes: Uint8Array;
  readonly stream: OutputStream;
  readonly generation: number;
  readonly slot: number;
  /** The pid of the worker. */
  readonly worker: number;
  /** When the lines arrived, in ms since 1970. */
  readonly time: number;
  /** The place of the log file that the lines go to (log-place.ts), or null if they go to none. */
  readonly path: string | null;
}

/** A block as plain data. */
export interface KeptRecord extends Omit<KeptBlock, 'bytes'> {
  /** The bytes in base64. */
  readonly bytes: string;
}

export function recordOfKept(kept: KeptLines): readonly KeptRecord[] {
  return kept.blocks().map((block) => ({ ...block, bytes: Buffer.from(block.bytes).toString('base64') }));
}

export function restoreKept(kept: KeptLines, blocks: readonly KeptRecord[]): void {
  for (const block of blocks) kept.add({ ...block, bytes: Buffer.from(block.bytes, 'base64') });
}

export interface KeptLines {
  /** Adds lines. `isContinued`: the first one is the rest of a line whose beginning was added before. */
  add(block: KeptBlock, isContinued?: boolean): void;
  /** The kept blocks, oldest first. */
  blocks(): readonly KeptBlock[];
  /** Calls `listener` with every block from now on, until the returned function is called. `ended` is called when no further block will come. */
  follow(listener: (block: KeptBlock) => void, ended: () => void): () => void;
  /** Called when the program was removed or has ended: followers are told that no further block will come. */
  end(): void;
}

/** How much is kept for each program. */
const limitBytes = 128 * 1024;
const limitBlocks = 2_048;

export function createKeptLines(): KeptLines {
  let kept: KeptBlock[] = [];
  let keptBytes = 0;
  let hasEnded = false;
  const followers = new Set<Parameters<KeptLines['follow']>>();

  /** Drops the oldest blocks. Not called for every block, because removing blocks moves all the others. */
  const shrink = (): void => {
    let first = 0;
    while (keptBytes > limitBytes || kept.length - first > limitBlocks)
      keptBytes -= kept[first++]?.bytes.length ?? 0;
    kept = kept.slice(first);
  };

  return {
    add(given, isContinued = false) {
      // The end of a line alone is not a line.
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
  const cut = afterNewline(bytes, start);
  // Copied, so that the rest does not stay in memory.
  return { ...block, bytes: bytes.slice(cut === 0 || cut === bytes.length ? start : cut) };
}
