/**
 * The IPC channel below `process.send()`, which Node.js does not document: found by its symbol on `process` (measured on
 * Node 20, 22, 24 and 26). Everything here has an answer for the day on which it is not found.
 */

/** The channel's handle; null when this Node.js keeps it elsewhere. */
function channelHandle(): object | null {
  const symbol = Object.getOwnPropertySymbols(process).find(
    ({ description }) => description === 'kChannelHandle',
  );
  const handle: unknown = symbol === undefined ? null : Reflect.get(process, symbol);
  return typeof handle === 'object' ? handle : null;
}

type Constructor = new (...args: unknown[]) => object;

/** What the channel is made of: the class of its handle, and that of its write requests. */
export interface ChannelParts {
  readonly Pipe: Constructor;
  readonly WriteRequest: Constructor;
}

/** Where it is noted, on `process`: the bundle that asks for it is not the one that notes it. */
const noted = Symbol.for('graceful-run.write-request');

/** Notes, at the next message that is sent over `handle`, what Node.js makes a write request with. */
export function noteWriteRequest(handle: object | null = channelHandle()): void {
  const write: unknown = handle === null ? null : Reflect.get(handle, 'writeUtf8String');
  if (handle === null || typeof write !== 'function') return;
  Reflect.set(handle, 'writeUtf8String', function (this: unknown, ...args: unknown[]) {
    Reflect.deleteProperty(handle, 'writeUtf8String');
    Object.defineProperty(process, noted, { value: constructorOf(args[0]), configurable: true });
    return Reflect.apply(write, this, args) as unknown;
  });
}

/** A pipe that carries handles, over a descriptor. Null when this Node.js is not built as we know it. */
export function channelPipe(fd: number): object | null {
  const Pipe = constructorOf(channelHandle());
  if (Pipe === null) return null;
  // UV_PIPE with `ipc`, as PipeConstants.IPC.
  const pipe = new Pipe(2);
  const open: unknown = Reflect.get(pipe, 'open');
  if (typeof open !== 'function') return null;
  const problem: unknown = Reflect.apply(open, pipe, [fd]);
  return problem === undefined || problem === 0 ? pipe : null;
}

/** Takes the handle that has arrived on such a pipe with what was read last; null: none. */
export function takePendingHandle(pipe: object): unknown {
  const handle: unknown = Reflect.get(pipe, 'pendingHandle') ?? null;
  Reflect.set(pipe, 'pendingHandle', null);
  return handle;
}

/** Null before the first message was sent, and when this Node.js keeps them elsewhere. */
export function channelParts(): ChannelParts | null {
  const Pipe = constructorOf(channelHandle());
  const WriteRequest: unknown = Reflect.get(process, noted);
  if (Pipe === null || typeof WriteRequest !== 'function') return null;
  return { Pipe, WriteRequest: WriteRequest as Constructor };
}

function constructorOf(value: unknown): Constructor | null {
  const made: unknown = typeof value === 'object' && value !== null ? value.constructor : null;
  return typeof made === 'function' ? (made as Constructor) : null;
}

/**
 * Stops reading without closing, so that another process can read instead; answers the file descriptor to give it.
 * Null when that cannot be done.
 */
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

/** Reads on, after `stopReading`. */
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
 * Leaves the channel alone, without closing it: Node.js has opened it over a descriptor that belongs to something else, and must neither
 * read from that nor write to it. The process looks as one that was not started with a channel.
 */
export function forgetChannel(): void {
  stopReading();
  process.channel?.unref();
  for (const name of ['send', 'disconnect', 'channel', '_channel', '_disconnect', 'connected'])
    Reflect.deleteProperty(process, name);
}

/**
 * Calls `gone` when the other end is gone, after the last message; and answers whether it is. Node.js itself calls `process.disconnect()`
 * then, so a wrapper around that one could not tell. Without the handle the answer is yes.
 */
export function watchOtherEnd(gone: () => void): () => boolean {
  const handle = channelHandle();
  const onread: unknown = handle === null ? null : Reflect.get(handle, 'onread');
  if (handle === null || typeof onread !== 'function') return () => true;
  let isGone = false;
  Reflect.set(handle, 'onread', function (this: unknown, ...args: unknown[]) {
    // No buffer: the end of the stream, or an error.
    if (args[0]) return Reflect.apply(onread, this, args) as unknown;
    isGone = true;
    const result: unknown = Reflect.apply(onread, this, args);
    process.nextTick(gone);
    return result;
  });
  return () => isGone;
}
