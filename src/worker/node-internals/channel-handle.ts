/**
 * The IPC channel below `process.send()`, which Node.js does not document: found by its symbol on `process` (Node 20, 22, 24 and 26). Every
 * function here has a result for a Node.js in which it is not found.
 */
import { hiddenProperty } from '../../shared/hidden-property.ts';
import { isRecord } from '../../shared/protocol.ts';

/** The channel's handle; null if this Node.js keeps it elsewhere. */
function channelHandle(): object | null {
  const handle = hiddenProperty(process, 'kChannelHandle');
  return typeof handle === 'object' ? handle : null;
}

type Constructor = new (...args: unknown[]) => object;

/** The classes that the channel is made of: that of its handle and that of its write requests. */
export interface ChannelParts {
  readonly Pipe: Constructor;
  readonly WriteRequest: Constructor;
}

/** The property of `process` that keeps the class of write requests: one bundle stores it and another one reads it. */
const noted = Symbol.for('graceful-run.write-request');

/** Stores the class of write requests when the next message is sent over `handle`. */
export function noteWriteRequest(handle: object | null = channelHandle()): void {
  const write: unknown = handle === null ? null : Reflect.get(handle, 'writeUtf8String');
  if (handle === null || typeof write !== 'function') return;
  Reflect.set(handle, 'writeUtf8String', function (this: unknown, ...args: unknown[]) {
    Reflect.deleteProperty(handle, 'writeUtf8String');
    Object.defineProperty(process, noted, { value: constructorOf(args[0]), configurable: true });
    return Reflect.apply(write, this, args) as unknown;
  });
}

/** Creates a pipe over the descriptor that can carry handles. Null if the internals of this Node.js are not the known ones. */
export function channelPipe(fd: number): object | null {
  const Pipe = constructorOf(channelHandle());
  if (Pipe === null) return null;
  // The value 2 is UV_PIPE with `ipc`, as in PipeConstants.IPC.
  const pipe = new Pipe(2);
  const open: unknown = Reflect.get(pipe, 'open');
  if (typeof open !== 'function') return null;
  const problem: unknown = Reflect.apply(open, pipe, [fd]);
  return problem === undefined || problem === 0 ? pipe : null;
}

/** Takes the handle that has arrived on such a pipe with the latest bytes; null if there is none. */
export function takePendingHandle(pipe: object): unknown {
  const handle: unknown = Reflect.get(pipe, 'pendingHandle') ?? null;
  Reflect.set(pipe, 'pendingHandle', null);
  return handle;
}

/** The parts of the IPC channel that graceful-run uses; null before the first message is sent, or if this Node.js keeps them elsewhere. */
export function channelParts(): ChannelParts | null {
  const Pipe = constructorOf(channelHandle());
  const WriteRequest: unknown = Reflect.get(process, noted);
  if (Pipe === null || typeof WriteRequest !== 'function') return null;
  return { Pipe, WriteRequest: WriteRequest as Constructor };
}

function constructorOf(value: unknown): Constructor | null {
  const made: unknown = isRecord(value) ? value['constructor'] : null;
  return typeof made === 'function' ? (made as Constructor) : null;
}

/** Stops reading without closing, so that another process can read instead. Returns the file descriptor; null if that cannot be done. */
export function stopReading(): number | null {
  const fd = channelFd();
  return fd !== null && callChannel('readStop') ? fd : null;
}

/** The file descriptor of `process.channel`; null without a channel. */
export function channelFd(): number | null {
  const { channel } = process;
  const fd: unknown = channel ? Reflect.get(channel, 'fd') : null;
  return typeof fd === 'number' ? fd : null;
}

/** Starts to read again, after `stopReading`. */
export function startReading(): void {
  callChannel('readStart');
}

function callChannel(method: 'readStart' | 'readStop'): boolean {
  const handle = channelHandle();
  const found: unknown = handle === null ? null : Reflect.get(handle, method);
  if (typeof found !== 'function') return false;
  Reflect.apply(found, handle, []);
  return true;
}

/**
 * Removes the channel from `process` without closing it, as if the process had been started without one. For a channel that Node.js has
 * opened over a descriptor that belongs to something else, from which it must neither read nor write.
 */
export function forgetChannel(): void {
  stopReading();
  process.channel?.unref();
  for (const name of ['send', 'disconnect', 'channel', '_channel', '_disconnect', 'connected'])
    Reflect.deleteProperty(process, name);
}

/**
 * Calls `gone` when the other end is gone, after the last message. Returns a function that tells whether it is gone; if the handle is not known, that
 * function always returns true. A wrapper around `process.disconnect()` could not tell, because Node.js calls that, too, when the other end is gone.
 */
export function watchOtherEnd(gone: () => void): () => boolean {
  const handle = channelHandle();
  const onread: unknown = handle === null ? null : Reflect.get(handle, 'onread');
  if (handle === null || typeof onread !== 'function') return () => true;
  let isGone = false;
  Reflect.set(handle, 'onread', function (this: unknown, ...args: unknown[]) {
    // Without a buffer, this is the end of the stream, or an error.
    if (args[0]) return Reflect.apply(onread, this, args) as unknown;
    isGone = true;
    const result: unknown = Reflect.apply(onread, this, args);
    process.nextTick(gone);
    return result;
  });
  return () => isGone;
}
