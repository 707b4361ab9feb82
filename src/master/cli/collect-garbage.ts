/**
 * Keeps the master's memory flat. What a reload leaves behind lives long enough to be taken for old, and V8 looks for old
 * garbage in a process that allocates so little only when it has grown by tens of megabytes (20 after 700 reloads). Not for masters that are embedded: their process is not ours.
 */
import type { EventRecord } from '../../shared/events.ts';
import { trimMemory } from '../system-calls/own-process-calls.ts';

/** The garbage is collected again after this many starts and ends of workers, which leave a tenth of a megabyte. A collection takes 5 to 10 ms. */
const changesPerCollection = 10;
/** Events after which there is garbage. An upgrade leaves that of a start. */
const isOfGarbage: ReadonlySet<string> = new Set([
  'workerReady',
  'workerExited',
  'workerFailed',
  'masterUpgraded',
]);

/** The pause before a collection. After it, all workers of a generation are gone, and no request waits for the master. */
const delayMs = 1_000;

/**
 * Settings of V8 for a process that does little and lives long.
 *
 * The space for new objects stays as small as it is at the start. It doubles whenever many objects live at once, as when a hundred programs
 * are started, and Node.js 20 never makes it smaller again: 15 MB.
 *
 * Only functions that stay busy are optimised, such as those that pass on a flood of output; by default the start of many programs would be enough.
 * The threads that optimise keep what malloc(3) has given them: 4 MB after the start of a hundred programs.
 *
 * What a collection has emptied goes back to the system eight seconds after it. Without this setting V8 waits for a long time of few allocations:
 * of the 72 MB after the start of a hundred programs, 7 stayed for minutes, and V8 woke up every eight seconds to look.
 */
export function keepMemorySmall(): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
  // From version 12 on, which is in Node.js 22, V8 counts calls instead of bytes of code that were run.
  const isOld = Number.parseInt(process.versions.v8, 10) < 12;
  setFlagsFromString(isOld ? '--interrupt-budget=2000000' : '--invocation-count-for-turbofan=100000');
}

/**
 * How much garbage there is. `ofTheStart`: the first collection, with the garbage of reading the plan and opening the sockets. `much`: that of many
 * workers.
 */
type Garbage = 'ofTheStart' | 'little' | 'much';

/** Returns a subscriber that has `collect` called some time after workers have been started or have ended, and at most once for a reload. */
export function createCollector(
  collect: (garbage: Garbage) => void = collectGarbage,
): (event: EventRecord) => void {
  let isFirst = true;
  let changes = 0;
  let isDue = false;
  return ({ event }) => {
    if (!isOfGarbage.has(event)) return;
    changes += 1;
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      const garbage = isFirst ? 'ofTheStart' : changes < changesPerCollection ? 'little' : 'much';
      isDue = false;
      isFirst = false;
      if (garbage !== 'little') changes = 0;
      try {
        collect(garbage);
      } catch {
        // The collection has failed. V8 still collects garbage when it chooses to.
      }
    }, delayMs).unref();
  };
}

/** Collects garbage. In any case, free memory that malloc(3) still holds goes back to the system: 4 or 5 MB after the start, in 1 ms. */
function collectGarbage(garbage: Garbage): void {
  if (garbage !== 'little') collectHeap(garbage === 'ofTheStart');
  trimMemory();
}

/**
 * Calls V8's gc(), which only a context has that is created while V8 exposes it: not documented, but widely used. The last-resort collection of V8 12 and
 * newer also drops code and gives empty pages back: 4 MB after the start. It takes 20 to 35 ms.
 */
function collectHeap(isLastResort: boolean): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  const gc: unknown = process.getBuiltinModule('node:vm').runInNewContext('globalThis.gc');
  const how = { type: 'major', execution: 'sync', flavor: 'last-resort' };
  if (typeof gc === 'function') Reflect.apply(gc, undefined, isLastResort ? [how] : []);
}
