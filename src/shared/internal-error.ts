/** Makes the event that reports an unexpected error after which the process continues (ADR 45). Pure. */
import { messageOf } from './errors.ts';
import type { MasterEvent } from './events.ts';

export function internalError(error: unknown): Extract<MasterEvent, { event: 'internalError' }> {
  return { event: 'internalError', problem: messageOf(error) };
}
