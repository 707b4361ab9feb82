/** When a new generation is to prove itself: during a probation, and while it serves in part, between the steps of a reload. Pure. */
import type { MasterEvent } from '../../../shared/events.ts';

/** Events that end the time in which a generation proves itself. */
const endings: ReadonlySet<MasterEvent['event']> = new Set([
  'generationSettled',
  'generationRolledBack',
  'generationFailed',
  'stopRequested',
  'stopped',
]);

/** The generation that has to prove itself after the event, and for how long. `over`: none has to any more. Null if the event changes nothing. */
export function provingAfter(
  event: MasterEvent,
): { readonly generation: number; readonly timeMs: number } | 'over' | null {
  if (event.event === 'rolloutAdvanced') return { generation: event.generation, timeMs: event.pauseMs };
  if (event.event === 'generationReady')
    return event.probationMs > 0 ? { generation: event.generation, timeMs: event.probationMs } : 'over';
  return endings.has(event.event) ? 'over' : null;
}
