/** The pipes from which output of workers is read, when another image of this process is to read on. */
import net from 'node:net';
import type { StartedWithOutput } from './start-with-output.ts';

type Streams = StartedWithOutput['streams'];

/** Reads from a descriptor that the previous image of this process has read from; null if there is none. */
export function streamFrom(fd: number | null): net.Socket | null {
  return fd === null ? null : new net.Socket({ fd, readable: true, writable: false });
}

/** Stops reading from the descriptors themselves, or continues to. A paused stream would still read some more, and keep that. */
export function suspendReading(streams: Streams, isSuspended: boolean): void {
  for (const stream of Object.values(streams)) suspend(stream, isSuspended);
}

/** Whether bytes were read that nobody has got yet. */
export function hasUnread(streams: Streams): boolean {
  return Object.values(streams).some((stream) => stream !== null && stream.readableLength > 0);
}

/** A stream that has stopped by itself, because it is paused and full, is left alone. */
function suspend(stream: net.Socket | null, isSuspended: boolean): void {
  const handle: unknown = stream === null ? null : Reflect.get(stream, '_handle');
  if (typeof handle !== 'object' || handle === null || Reflect.get(handle, 'reading') !== true) return;
  const act: unknown = Reflect.get(handle, isSuspended ? 'readStop' : 'readStart');
  if (typeof act === 'function') Reflect.apply(act, handle, []);
}
