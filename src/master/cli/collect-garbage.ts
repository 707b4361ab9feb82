/**
 * Keeps the master's memory flat. What a reload leaves behind lives long enough to be taken for old, and V8 looks for old
 * garbage in a process that allocates so little only when it has grown by tens of megabytes (20 after 700 reloads). Not for masters that are embedded: their process is not ours.
 */
import type { EventRecord } from '../../shared/events.ts';

/** So many workers leave a tenth of a megabyte. To collect it takes 5 to 10 ms. */
const workersPerCollection = 5;
/** By then all workers of a generation are gone, and no request waits for the master. */
const delayMs = 1_000;

/** A subscriber that has `collect` called a little later when workers have ended; never twice for one reload. */
export function createCollector(collect: () => void = collectGarbage): (event: EventRecord) => void {
  let ended = 0;
  let isDue = false;
  return ({ event }) => {
    if (event !== 'workerExited' && event !== 'workerFailed') return;
    ended += 1;
    if (isDue || ended < workersPerCollection) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      ended = 0;
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
