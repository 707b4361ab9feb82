/**
 * Keeps the master's memory flat. What a reload leaves behind lives long enough to be taken for old, and V8 looks for old
 * garbage in a process that allocates so little only when it has grown by tens of megabytes (20 after 700 reloads). Not for masters that are embedded: their process is not ours.
 */
import { monotonicMs } from '../../shared/clock.ts';
import type { EventRecord } from '../../shared/events.ts';

/** So many starts and ends of workers leave a tenth of a megabyte. To collect it takes 5 to 20 ms. */
const changesPerCollection = 10;
/**
 * So long after the last of them all workers of a generation are gone, no request waits for the master, and V8, which looks at the last five
 * seconds, sees a process that allocates little.
 */
const delayMs = 6_000;
/** Where one change follows another without end, it is done after so long all the same. */
const longestDelayMs = 10_000;

/**
 * Keeps V8's space for new objects as small as it is at the start. It doubles whenever many objects live at once, as when a hundred programs
 * are started, and Node.js 20 never makes it smaller again: 15 MB.
 */
export function keepNewSpaceSmall(): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
}

/** A subscriber that has `collect` called when workers have been started or have ended, once that has come to rest; never twice for one reload. */
export function createCollector(collect: () => void = collectGarbage): (event: EventRecord) => void {
  let changes = 0;
  let due: { readonly timer: NodeJS.Timeout; readonly latest: number } | null = null;

  function run(): void {
    due = null;
    changes = 0;
    try {
      collect();
    } catch {
      // Then V8 does it when it likes.
    }
  }

  return ({ event }) => {
    if (event !== 'workerReady' && event !== 'workerExited' && event !== 'workerFailed') return;
    changes += 1;
    if (due === null && changes < changesPerCollection) return;
    const now = monotonicMs();
    const latest = due?.latest ?? now + longestDelayMs;
    clearTimeout(due?.timer);
    const timer = setTimeout(run, Math.max(0, Math.min(delayMs, latest - now))).unref();
    due = { timer, latest };
  };
}

/**
 * Collects, and moves what is left together, so that the system gets the rest back: with 100 programs, a third of the heap and 8 MB. `gc` is a
 * function that only a context has that was made while V8 exposes it. Both flags are undocumented; Node.js 20 to 26 have them.
 */
function collectGarbage(): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--compact-on-every-full-gc');
  try {
    const gc: unknown = process.getBuiltinModule('node:vm').runInNewContext('globalThis.gc');
    if (typeof gc !== 'function') return;
    Reflect.apply(gc, undefined, []);
    // Only now V8 knows that little was allocated lately, and makes its space for new objects smaller, by up to 4 MB.
    Reflect.apply(gc, undefined, []);
  } finally {
    setFlagsFromString('--no-compact-on-every-full-gc');
  }
}
