/**
 * Reads a worker's IPC channel in the place of Node.js, which trusts whoever is at the other end: it throws at a line
 * that is not JSON, keeps a line that never ends, and turns a listening socket that it is sent into a server of this very
 * process. Anything that has inherited the descriptor may write to it, so here such things are passed over.
 */
import type { ChildProcess } from 'node:child_process';
import { bytesRead } from '../../shared/read-bytes.ts';
import { createLineReader } from './line-reader.ts';

/** The longest message that is looked at, in bytes: ours have a few hundred. */
const maxMessageBytes = 1024 * 1024;

/** How Node.js answers for a handle that did not arrive, and what it answers itself. */
const handleAnswers: ReadonlySet<unknown> = new Set(['NODE_HANDLE_ACK', 'NODE_HANDLE_NACK']);

export interface GuardedChannel {
  readonly message: (value: unknown) => void;
  /** A line that was no message, or too long to be looked at. */
  readonly garbage: () => void;
}

/**
 * Takes over the reading of `child`'s channel. Node.js does not document where the channel's handle is (found on
 * 20, 22, 24 and 26): false when it is not found, then nothing was changed.
 */
export function guardChannel(child: ChildProcess, { message, garbage }: GuardedChannel): boolean {
  const symbol = Object.getOwnPropertySymbols(child).find(
    ({ description }) => description === 'kChannelHandle',
  );
  const handle: unknown = symbol === undefined ? null : Reflect.get(child, symbol);
  if (typeof handle !== 'object' || handle === null) return false;
  const onread: unknown = Reflect.get(handle, 'onread');
  if (typeof onread !== 'function') return false;

  const lines = createLineReader(maxMessageBytes, take, garbage);
  Reflect.set(handle, 'onread', function (this: object, chunk: unknown) {
    refuseHandle(this);
    // No bytes: the end. Node.js closes the channel.
    if (chunk instanceof ArrayBuffer) lines.add(bytesRead(chunk));
    else Reflect.apply(onread, this, [chunk]);
  });
  return true;

  function take(line: string): void {
    const value = parse(line);
    if (value === undefined) garbage();
    else if (!isInternal(value)) message(value);
    // The answer to a listener that was sent: Node.js waits for it before it sends the next one.
    else if (handleAnswers.has(value.cmd) && isHandleUnderWay(child)) child.emit('internalMessage', value);
  }
}

/**
 * Closes the channel of a process that is gone, whoever else holds its other end. Node.js would first wait for the answer to
 * a handle that was sent, and for ever; or, told not to, close that handle, which may be the listener.
 */
export function hangUp(child: ChildProcess): void {
  if (!child.connected) return;
  Reflect.set(child, '_handleQueue', null);
  Reflect.set(child, '_pendingMessage', null);
  child.disconnect();
}

/** Nobody has anything to give to the master: a socket that a worker sends is closed, before anybody makes a server of it. */
function refuseHandle(channel: object): void {
  const pending: unknown = Reflect.get(channel, 'pendingHandle');
  if (typeof pending !== 'object' || pending === null) return;
  Reflect.set(channel, 'pendingHandle', null);
  const close: unknown = Reflect.get(pending, 'close');
  if (typeof close === 'function') Reflect.apply(close, pending, []);
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
