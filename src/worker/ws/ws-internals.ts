/**
 * What `ws` keeps to itself: how a WebSocket stands between its messages, what its compression was agreed on, and how it ends. Nothing
 * public says that, so this reads its fields, and no other file does. A test holds the oldest and the newest version that the
 * package's manifest allows to them.
 */
import type { WebSocket } from 'ws';

/** `unknown`: this `ws` is not built as we know it. */
export type Standing = 'betweenMessages' | 'busy' | 'unknown';

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

export function standingOf(ws: WebSocket): Standing {
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

/** What was agreed on about permessage-deflate, in whatever form `ws` keeps it. */
export function deflateOf(ws: WebSocket): unknown {
  return property(property(property(ws, '_extensions'), 'permessage-deflate'), 'params');
}

/** The WebSocket is CLOSED and says so, at once; its socket is not touched. */
export function emitClose(ws: WebSocket): void {
  const emit = property(ws, 'emitClose');
  if (typeof emit === 'function') Reflect.apply(emit, ws, []);
}

/** Until 8.17 a flag said that it compresses; since then a number says that, too. */
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
