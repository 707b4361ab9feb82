/** Pairs of connected sockets, as handles that can be sent to workers. */
import net from 'node:net';
import type { Handle } from '../process/platform.ts';
import { socketpair } from '../system-calls/syscalls.ts';

/** `net._createServerHandle` opens a descriptor without reading it; see listener.ts. Negative: -errno. */
type OpenDescriptor = (host: null, port: null, family: null, fd: number) => Handle | number;

/** Two connected ends, or the name of the error. */
export function socketPair(): readonly [Handle, Handle] | string {
  const pair = socketpair();
  if (typeof pair === 'string') return pair;
  const open = Reflect.get(net, '_createServerHandle') as OpenDescriptor;
  const [one, other] = [open(null, null, null, pair[0]), open(null, null, null, pair[1])];
  // Node.js says so of a descriptor that it cannot make a pipe of, which these are not.
  if (typeof one === 'number' || typeof other === 'number') return 'EINVAL';
  return [one, other];
}
