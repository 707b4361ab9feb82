/** What is told of an error that nobody expected, and that ends nothing (ADR 45). Pure. */
import { messageOf } from './errors.ts';
import type { MasterEvent } from './events.ts';

export function internalError(error: unknown): Extract<MasterEvent, { event: 'internalError' }> {
  return { event: 'internalError', problem: messageOf(error) };
}
