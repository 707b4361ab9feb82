/**
 * A pipe over which two workers send each other lines of text, and connections with them (SCM_RIGHTS, unix(7)). It is made of the
 * classes behind Node.js's own IPC channel, which are not documented; measured on Node 20, 22, 24 and 26. The IPC channel itself is
 * too slow for this, because it waits for an answer to every handle. Calling sendmsg(2) through a native library costs each worker
 * 8 to 18 ms, just when it has begun to serve.
 */
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { bytesRead } from './read-bytes.ts';
import { channelParts } from './channel-handle.ts';
import { isConnectionHandle, postponeClosing, type ConnectionHandle } from './connection-handle.ts';
import { closeHandle } from './listening-handle.ts';

export interface PipeEvents {
  /** A line arrived (without its line feed). `handles`: all that have arrived so far; remove the ones that you take. */
  line(text: string, handles: ConnectionHandle[]): void;
  /** The other end is closed. Called once. */
  ended(): void;
}

export interface HandlePipe {
  /**
   * Sends a line. Returns false if it cannot be sent. If that turns out only later, while the other end is still open, `unsent` is
   * called; if the other end is closed, `ended` is called instead.
   */
  send(text: string, handle?: ConnectionHandle, unsent?: () => void): boolean;
}

interface RawPipe {
  readonly fd: number;
  /** Bytes that wait because the pipe is full. */
  readonly writeQueueSize: number;
  open(fd: number): number | undefined;
  readStart(): number;
  unref(): void;
  close(): void;
  writeUtf8String(request: object, text: string, handle?: object): number;
  onread: (chunk?: ArrayBuffer) => void;
  pendingHandle?: unknown;
}

/** The type of a libuv pipe that carries handles. */
const carriesHandles = 2;
const { errno } = process.getBuiltinModule('node:os').constants;

/** The errors of write(2) when the other end is closed. */
const closedByPeer: ReadonlySet<unknown> = new Set([-errno.EPIPE, -errno.ECONNRESET]);

/**
 * Opens one end of a socket pair that arrived over the IPC channel as a handle. Returns null, and closes the handle so that the other
 * end notices, if it is not a socket or this Node.js has no such classes.
 */
export function openHandlePipe(end: unknown, events: PipeEvents): HandlePipe | null {
  const parts = channelParts();
  const fd: unknown = typeof end === 'object' && end !== null ? Reflect.get(end, 'fd') : null;
  if (parts === null || typeof fd !== 'number' || fd < 0) {
    closeHandle(end);
    return null;
  }
  const { Pipe, WriteRequest } = parts;
  // Proven dispatch: the class of the handle that Node.js reads its own channel through.
  const pipe = new Pipe(carriesHandles) as RawPipe & { end?: unknown };
  const failed = pipe.open(fd);
  if (failed !== undefined && failed !== 0) {
    closeHandle(end);
    return null;
  }
  // Both handles have the same descriptor. Only `pipe` is closed; `end` must not be garbage-collected before that.
  pipe.end = end;
  let isOpen = true;
  let hasRead = false;
  const splitter = createLineSplitter();
  const handles: ConnectionHandle[] = [];
  const { StringDecoder } = process.getBuiltinModule('node:string_decoder');
  const decoder = new StringDecoder('utf8');

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    pipe.close();
    for (const handle of handles) handle.close();
    events.ended();
  }

  /**
   * Handles the end of the stream, or an error. Once the other end is closed, libuv reports the end after every short read, and every
   * line with a handle is a short read, so there may be more to read. It is the end if nothing arrived since reading was started.
   */
  function endOfStream(): void {
    const isAgain = hasRead && isOpen && pipe.readStart() === 0;
    hasRead = false;
    if (!isAgain) close();
  }

  pipe.onread = (chunk) => {
    const handle = pipe.pendingHandle;
    pipe.pendingHandle = null;
    if (isConnectionHandle(handle)) handles.push(handle);
    if (chunk === undefined) {
      endOfStream();
      return;
    }
    hasRead = true;
    const bytes = bytesRead(chunk);
    if (bytes === null) {
      close();
      return;
    }
    for (const line of splitter.add(decoder.write(Buffer.from(bytes))))
      if (isOpen) events.line(line, handles);
  };
  function write(text: string, oncomplete: (status: number) => void, handle?: ConnectionHandle): boolean {
    const request = Object.assign(new WriteRequest(), { oncomplete });
    return pipe.writeUtf8String(request, `${text}\n`, handle) === 0;
  }

  pipe.readStart();
  pipe.unref();

  return {
    send(text, handle, unsent = () => undefined) {
      if (!isOpen) return false;
      let close = (): void => undefined;
      const isSent = write(
        text,
        (status) => {
          close();
          // Reading reports a closed other end, after everything that it has sent.
          if (status === 0 || !isOpen || closedByPeer.has(status)) return;
          // For example ETOOMANYREFS: more descriptors in flight than this user may have open.
          unsent();
          // libuv sends the writes that wait behind a failed one only with the next write; the reader ignores an empty line.
          write('', () => undefined);
        },
        handle,
      );
      // The line waits because the pipe is full. libuv would abort the process if the line's handle was closed meanwhile.
      if (isSent && handle !== undefined && pipe.writeQueueSize !== 0) close = postponeClosing(handle);
      return isSent;
    },
  };
}
