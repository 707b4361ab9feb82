/** The handle of libuv for a pipe. It polls and reads any descriptor that it is given. */
import { socketPair } from './socket-pair.ts';

/** The part of the handle that is used. It is undocumented, and the same on Node.js 20 to 26. */
export interface PipeHandle {
  /** Returns 0 or -errno. The descriptor is closed with the handle. */
  open(fd: number): number;
  readStart(): number;
  unref(): void;
  close(): void;
}

/**
 * A pipe handle without a descriptor; null if no descriptor is left. Node.js does not export the class, so it is taken from a pipe that Node.js has made.
 * Only after `loadSystemCalls`.
 */
export function emptyPipe(): PipeHandle | null {
  const pair = socketPair();
  if (typeof pair === 'string') return null;
  for (const end of pair) end.close();
  const kind: unknown = Reflect.get(pair[0], 'constructor');
  return typeof kind === 'function' ? (Reflect.construct(kind, [0]) as PipeHandle) : null;
}
