/**
 * The undocumented fields of `ws` that a migration needs: whether a WebSocket is between two messages, what its compression negotiated,
 * and how it is closed without its socket. A test checks them with the oldest and the newest version that package.json allows.
 */
import type { WebSocket } from 'ws';

/** How far a WebSocket is. `unknown`: this version of `ws` has other fields. */
export type Progress = 'betweenMessages' | 'busy' | 'unknown';

interface Known {
  readonly receiver: {
    readonly state: number;
    readonly bufferedBytes: number;
    readonly fragmented: number;
    readonly isLooping: boolean;
    readonly writableLength: number;
  };
  readonly sender: {
    readonly isIdle: boolean;
    readonly queued: number;
    readonly bufferedBytes: number;
    readonly isFirstFragment: boolean;
  };
}

export function progressOf(ws: WebSocket): Progress {
  const known = read(ws);
  if (known === null) return 'unknown';
  const { receiver, sender } = known;
  const isReceiving =
    receiver.state !== 0 ||
    receiver.bufferedBytes > 0 ||
    receiver.fragmented !== 0 ||
    receiver.isLooping ||
    receiver.writableLength > 0;
  const isSending =
    !sender.isIdle || sender.queued > 0 || sender.bufferedBytes > 0 || !sender.isFirstFragment;
  return isReceiving || isSending || ws.bufferedAmount > 0 ? 'busy' : 'betweenMessages';
}

function read(ws: WebSocket): Known | null {
  const receiver = property(ws, '_receiver');
  const sender = property(ws, '_sender');
  const queue = property(sender, '_queue');
  const known = {
    receiver: {
      state: property(receiver, '_state'),
      bufferedBytes: property(receiver, '_bufferedBytes'),
      fragmented: property(receiver, '_fragmented'),
      isLooping: property(receiver, '_loop'),
      writableLength: property(receiver, 'writableLength'),
    },
    sender: {
      isIdle: isSenderIdle(sender),
      queued: Array.isArray(queue) ? queue.length : undefined,
      bufferedBytes: property(sender, '_bufferedBytes'),
      isFirstFragment: property(sender, '_firstFragment'),
    },
  };
  return isKnown(known) ? known : null;
}

/** The negotiated parameters of permessage-deflate, unchecked. */
export function deflateOf(ws: WebSocket): unknown {
  return property(property(property(ws, '_extensions'), 'permessage-deflate'), 'params');
}

/** Puts the WebSocket into the state CLOSED and emits 'close', at once, without touching its socket. */
export function emitClose(ws: WebSocket): void {
  const emit = property(ws, 'emitClose');
  if (typeof emit === 'function') Reflect.apply(emit, ws, []);
}

/** True if the sender compresses nothing. Up to `ws` 8.17, a flag says that it compresses; later versions have a number instead. */
function isSenderIdle(sender: unknown): unknown {
  const isDeflating = property(sender, '_deflating');
  if (typeof isDeflating === 'boolean') return !isDeflating;
  const state = property(sender, '_state');
  return typeof state === 'number' ? state === 0 : undefined;
}

function isKnown(value: Unread<Known>): value is Known {
  const { receiver, sender } = value;
  const numbers = [
    receiver.state,
    receiver.bufferedBytes,
    receiver.fragmented,
    receiver.writableLength,
    sender.queued,
    sender.bufferedBytes,
  ];
  const flags = [receiver.isLooping, sender.isIdle, sender.isFirstFragment];
  return numbers.every((one) => typeof one === 'number') && flags.every((one) => typeof one === 'boolean');
}

type Unread<Value> = { readonly [Key in keyof Value]: { readonly [Name in keyof Value[Key]]: unknown } };

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
