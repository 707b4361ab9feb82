/**
 * A pipe that carries handles beside its lines (SCM_RIGHTS of unix(7)), made of the parts that Node.js's own IPC channel is
 * made of, which are not documented: no other file touches them. Measured on Node 20, 22, 24 and 26. That channel itself
 * waits for an answer to every handle, and the system call through a library costs each worker 8 to 18 ms at the
 * worst moment, when it has just begun to serve. It must not know what the lines say.
 */
import { bytesRead } from './read-bytes.ts';
import { channelParts } from './channel-handle.ts';
import { closeHandle } from './listening-handle.ts';

/** A connected socket's handle below `net.Socket`. */
export interface ConnectionHandle {
  readonly fd: number;
  readonly writeQueueSize: number;
  reading: boolean;
  readStart: (this: ConnectionHandle) => number;
  readStop: (this: ConnectionHandle) => number;
  getpeername: (this: ConnectionHandle, out: object) => number;
  close: (this: ConnectionHandle) => void;
}

export interface PipeEvents {
  /** One line has come, without its line feed. `handles` are those that have come so far and were not taken out. */
  line(text: string, handles: ConnectionHandle[]): void;
  /** Once: the other end is gone. */
  ended(): void;
}

export interface HandlePipe {
  /**
   * Sends a line, or several. False: it cannot be sent, and was not. `unsent`: nor could it be later, when its turn came, although the
   * other end is there; when that is gone, `ended` comes instead.
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

const carriesHandles = 2;
const { errno } = process.getBuiltinModule('node:os').constants;

export function isConnectionHandle(value: unknown): value is ConnectionHandle {
  if (typeof value !== 'object' || value === null) return false;
  return ['readStart', 'readStop', 'getpeername', 'close'].every(
    (name) => typeof Reflect.get(value, name) === 'function',
  );
}

/** How many hold it: one that has just come may have to go on before the other worker was told that it is here. */
const holds = new WeakMap<ConnectionHandle, number>();

/**
 * Stops reading from it, whoever asks for more, as `net.Socket` does at a `resume()` or `read()`; what this answers, called once,
 * reads on, if anybody wants to and nobody else holds it.
 */
export function holdReading(handle: ConnectionHandle): () => void {
  holds.set(handle, (holds.get(handle) ?? 0) + 1);
  handle.readStop();
  handle.readStart = readNothing;
  return () => {
    const left = (holds.get(handle) ?? 1) - 1;
    holds.set(handle, left);
    if (left > 0) return;
    // That of its class. Not deleted: V8 makes a slow object of what has lost a property, and this one lives on.
    const { readStart } = Object.getPrototypeOf(handle) as ConnectionHandle;
    handle.readStart = readStart;
    if (handle.reading) handle.readStart();
  };
}

const readNothing = (): number => 0;

/**
 * Opens one end of a pair of connected UNIX sockets that has come over the IPC channel as a handle. Null when this
 * is none, or Node.js is not built as we know it: then it is closed, so that nobody waits at the other one.
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
  // Both are the same descriptor: the one that came is never closed, and must live as long as the other.
  pipe.end = end;
  let isOpen = true;
  let hasRead = false;
  let rest = '';
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
   * The end of the stream, or an error. When the other end is gone libuv says so after a short read, and each line that carries a
   * handle is one, whatever is left behind it. So it is the end when nothing has come since reading was begun.
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
    const lines = (rest + decoder.write(Buffer.from(bytes))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (isOpen) events.line(line, handles);
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
      let release = (): void => undefined;
      const isSent = write(
        text,
        (status) => {
          release();
          // When the other end is gone, reading tells: after the last that it has said.
          if (status === 0 || !isOpen || gone.has(status)) return;
          // Such as ETOOMANYREFS: more descriptors on their way than this user may have open.
          unsent();
          // libuv leaves what waits behind it until something is written; an empty line says nothing.
          write('', () => undefined);
        },
        handle,
      );
      if (isSent && handle !== undefined && pipe.writeQueueSize !== 0) release = keepOpen(handle);
      return isSent;
    },
  };
}

/** What write(2) says when nobody is at the other end any more. */
const gone: ReadonlySet<number> = new Set([-errno.EPIPE, -errno.ECONNRESET]);

/** How `net.Socket` ends its handle. */
const endings = ['close', 'reset'];

/**
 * While a line waits because the pipe is full, its handle waits with it, and libuv aborts the process when it was closed
 * meanwhile. So until what this answers is called, that is put off.
 */
function keepOpen(handle: ConnectionHandle): () => void {
  const due: (() => unknown)[] = [];
  for (const name of endings) {
    const end: unknown = Reflect.get(handle, name);
    if (typeof end !== 'function') continue;
    Reflect.set(handle, name, (...args: unknown[]) => {
      due.push(() => Reflect.apply(end, handle, args) as unknown);
      return 0;
    });
  }
  return () => {
    for (const name of endings) Reflect.deleteProperty(handle, name);
    for (const end of due.splice(0)) end();
  };
}
