/**
 * Keeps the master's memory flat. What a reload leaves behind lives long enough to be taken for old, and V8 looks for old
 * garbage in a process that allocates so little only when it has grown by tens of megabytes (20 after 700 reloads). Not for masters that are embedded: their process is not ours.
 */
import type { EventRecord } from '../../shared/events.ts';

/** So many starts and ends of workers leave a tenth of a megabyte. To collect it takes 5 to 10 ms. */
const changesPerCollection = 10;
/** By then all workers of a generation are gone, and no request waits for the master. */
const delayMs = 1_000;

/**
 * Keeps V8's space for new objects as small as it is at the start. It doubles whenever many objects live at once, as when a hundred programs
 * are started, and Node.js 20 never makes it smaller again: 15 MB.
 */
export function keepNewSpaceSmall(): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
}

/** A subscriber that has `collect` called a little later when workers have been started or have ended; never twice for one reload. */
export function createCollector(collect: () => void = collectGarbage): (event: EventRecord) => void {
  let changes = 0;
  let isDue = false;
  return ({ event }) => {
    if (event !== 'workerReady' && event !== 'workerExited' && event !== 'workerFailed') return;
    changes += 1;
    if (isDue || changes < changesPerCollection) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      changes = 0;
      try {
        collect();
      } catch {
        // Then V8 does it when it likes.
      }
    }, delayMs).unref();
  };
}

/** A function that only a context has that was made while V8 exposes it: not documented, and used by many. */
function collectGarbage(): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  const gc: unknown = process.getBuiltinModule('node:vm').runInNewContext('globalThis.gc');
  if (typeof gc === 'function') Reflect.apply(gc, undefined, []);
}
