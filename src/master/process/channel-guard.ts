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
import { duplicate } from '../system-calls/syscalls.ts';

/** The longest message that is looked at, in characters: ours have a few hundred. */
const maxMessageLength = 1024 * 1024;

/** The answers of Node.js to a message with a handle: the handle has arrived, or has not. */
const handleAnswers: ReadonlySet<unknown> = new Set(['NODE_HANDLE_ACK', 'NODE_HANDLE_NACK']);

export interface GuardParts {
  readonly message: (value: unknown) => void;
  /** A line that was not a message, or too long to be examined. */
  readonly garbage: () => void;
}

export interface GuardedChannel {
  /** Closes the channel of a process that is gone, even if another process holds its other end. */
  close(): void;
}

/**
 * Takes over the reading of `child`'s channel: over a second descriptor, as a plain socket, over which a worker can send nothing but
 * bytes. Whatever descriptors come with them the kernel closes (unix(7): a read without room for ancillary data).
 * Node.js does not document where the channel's handle is (found on 20, 22, 24 and 26): where it is not, Node.js reads itself.
 * Throws GracefulRunError `startFailed` when there is no second descriptor to be had.
 */
export function guardChannel(child: ChildProcess, { message, garbage }: GuardParts): GuardedChannel {
  const channel = channelOf(child);
  if (channel === null) {
    child.on('message', message);
    return {
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
  // Then it is the end, too.
  reader.on('error', () => undefined);
  reader.on('close', () => {
    if (!child.connected) return;
    dropUnanswered(child);
    // No bytes: the end. Node.js closes the channel, which the 'close' of the child waits for.
    channel.onread();
  });
  return {
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
      // A handle that the worker has sent, which the kernel has closed here. As under fork(): without this answer it sends nothing more.
      if (child.connected) child.send({ cmd: 'NODE_HANDLE_ACK' }, () => undefined);
      if ('msg' in value) message(value.msg);
    }
    // The answer to a listener that was sent: Node.js waits for it before it sends the next one.
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
 * Before the channel closes, Node.js would wait for the answer to a handle that was sent, forever; or, if told not to wait, close that handle,
 * which may be the listener.
 */
function dropUnanswered(child: ChildProcess): void {
  Reflect.set(child, '_handleQueue', null);
  Reflect.set(child, '_pendingMessage', null);
}

/** Node.js asserts that an answer has something that it answers. Not documented: the handles that wait behind the first. */
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
