/** When a new generation is to prove itself: during a probation, and while it serves in part, between the steps of a reload. Pure. */
import type { MasterEvent } from '../../../shared/events.ts';

/** What a generation does not outlive, or its probation. */
const endings: ReadonlySet<MasterEvent['event']> = new Set([
  'generationSettled',
  'generationRolledBack',
  'generationFailed',
  'stopRequested',
  'stopped',
]);

/** Which generation has to prove itself from now on, and for how long; `over`: none has to any more. Null: the event changes nothing. */
export function provingAfter(
  event: MasterEvent,
): { readonly generation: number; readonly timeMs: number } | 'over' | null {
  if (event.event === 'rolloutAdvanced') return { generation: event.generation, timeMs: event.pauseMs };
  if (event.event === 'generationReady')
    return event.probationMs > 0 ? { generation: event.generation, timeMs: event.probationMs } : 'over';
  return endings.has(event.event) ? 'over' : null;
}
