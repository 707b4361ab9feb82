/** Pairs of connected sockets, as handles that can be sent to workers. */
import type { Handle } from '../process/platform.ts';
import { socketpair } from '../system-calls/unix-socket-calls.ts';
import { handleOver } from './server-handle.ts';

/** Makes a pair of connected sockets. Returns its two ends, or the name of the error. */
export function socketPair(): readonly [Handle, Handle] | string {
  const pair = socketpair();
  if (typeof pair === 'string') return pair;
  const [one, other] = [handleOver(pair[0]), handleOver(pair[1])];
  if (typeof one === 'string') return one;
  return typeof other === 'string' ? other : [one, other];
}
