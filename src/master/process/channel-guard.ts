/**
 * Reads a worker's IPC channel in the place of Node.js, which trusts the process at the other end: it throws at a line that is not JSON,
 * keeps a line that never ends, turns a listening socket that it is sent into a server of this very process, and aborts when it is sent
 * the descriptor of a file. Anything that has inherited the channel may write to it, so here such things are passed over.
 */
import net from 'node:net';
import type { ChildProcess } from 'node:child_process';
import { GracefulRunError } from '../../shared/errors.ts';
import { hiddenProperty } from '../../shared/hidden-property.ts';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { openDescriptor } from '../sockets/handle-descriptor.ts';
import { duplicate } from '../system-calls/descriptor-calls.ts';

/** The longest message that is read, in characters. Those of graceful-run have a few hundred. */
const maxMessageLength = 1024 * 1024;

/** The answers of Node.js to a message with a handle: the handle has arrived, or has not. */
const handleAnswers: ReadonlySet<unknown> = new Set(['NODE_HANDLE_ACK', 'NODE_HANDLE_NACK']);

export interface GuardParts {
  readonly message: (value: unknown) => void;
  /** Called for a line that is not a message, or is too long. */
  readonly garbage: () => void;
}

export interface GuardedChannel {
  /** The descriptor of the channel; null if it is closed, or cannot be determined. */
  fd(): number | null;
  /** Whether a part of a message has arrived, and the rest has not. */
  isWithinMessage(): boolean;
  /** Closes the channel of a process that is gone, even if another process holds its other end. */
  close(): void;
}

/**
 * Reads the channel of `child` in place of Node.js: through a second descriptor, as a plain socket, on which a worker can send nothing but bytes. The
 * kernel closes any descriptors that come with them (unix(7): a read without room for ancillary data). Node.js does not document where the handle of the
 * channel is (found on 20, 22, 24 and 26). If it is not there, Node.js reads the channel itself. Throws GracefulRunError `startFailed` if there is no
 * second descriptor to be had.
 */
export function guardChannel(child: ChildProcess, { message, garbage }: GuardParts): GuardedChannel {
  const channel = channelOf(child);
  if (channel === null) {
    child.on('message', message);
    return {
      fd: () => null,
      isWithinMessage: () => false,
      close: () => {
        hangUp(child);
      },
    };
  }
  const copy = duplicate(channel.fd);
  if (typeof copy === 'string') {
    throw new GracefulRunError('startFailed', `cannot read the messages of the worker: ${copy}`, {
      hint: 'check the limit of file descriptors: ulimit -n',
    });
  }
  channel.readStop();
  const lines = createLineSplitter(maxMessageLength);
  const reader = new net.Socket({ fd: copy, readable: true, writable: false });
  reader.setEncoding('utf8').on('data', (text: string) => {
    for (const line of lines.add(text)) {
      if (line.length < maxMessageLength) take(line);
      else garbage();
    }
  });
  // An error is the end of the channel, too.
  reader.on('error', () => undefined);
  reader.on('close', () => {
    if (!child.connected) return;
    dropUnanswered(child);
    // A read without bytes is the end: Node.js closes the channel, and the 'close' of the child waits for that.
    channel.onread();
  });
  return {
    fd: () => openDescriptor(channel),
    isWithinMessage: () => lines.rest() !== '',
    close: () => {
      reader.destroy();
      hangUp(child);
    },
  };

  function take(line: string): void {
    const value = parse(line);
    if (value === undefined) garbage();
    else if (!isInternal(value)) message(value);
    else if (value.cmd === 'NODE_HANDLE') {
      // The worker has sent a handle, which the kernel has closed here. As under fork(), the worker sends nothing more without this answer.
      if (child.connected) child.send({ cmd: 'NODE_HANDLE_ACK' }, () => undefined);
      if ('msg' in value) message(value.msg);
    }
    // The worker answers that it has got a listener: Node.js waits for that before it sends the next one.
    else if (handleAnswers.has(value.cmd) && isHandleUnderWay(child)) child.emit('internalMessage', value);
  }
}

interface ChannelHandle {
  readonly fd: number;
  readStop(): unknown;
  onread(bytes?: ArrayBuffer): void;
}

function channelOf(child: ChildProcess): ChannelHandle | null {
  const handle = hiddenProperty(child, 'kChannelHandle');
  if (typeof handle !== 'object' || handle === null) return null;
  const isIt =
    typeof Reflect.get(handle, 'fd') === 'number' &&
    ['readStop', 'onread'].every((name) => typeof Reflect.get(handle, name) === 'function');
  return isIt ? (handle as ChannelHandle) : null;
}

function hangUp(child: ChildProcess): void {
  if (!child.connected) return;
  dropUnanswered(child);
  child.disconnect();
}

/**
 * Forgets handles that were sent and are not answered. Before the channel closes, Node.js would wait for the answers forever; or, if told not to wait,
 * close such a handle, which may be the listener.
 */
function dropUnanswered(child: ChildProcess): void {
  Reflect.set(child, '_handleQueue', null);
  Reflect.set(child, '_pendingMessage', null);
}

/**
 * Whether the worker still has to answer a handle: Node.js asserts that for every answer. The queue is not documented; it has the handles that wait behind
 * the first.
 */
function isHandleUnderWay(child: ChildProcess): boolean {
  return Array.isArray(Reflect.get(child, '_handleQueue'));
}

function isInternal(value: unknown): value is { readonly cmd: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'cmd' in value &&
    typeof value.cmd === 'string' &&
    value.cmd.startsWith('NODE_')
  );
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
