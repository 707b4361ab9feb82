/**
 * The bytes that a socket has read and the application has not used: the bytes in its buffer (the socket may be paused) and, after `setEncoding()`,
 * the first bytes of a character that is not complete yet. The latter are in the stream's decoder, which Node.js does not document (20, 22, 24 and
 * 26).
 */
import type net from 'node:net';
import { isRecord } from '../../shared/protocol.ts';

export interface UnreadBytes {
  readonly bytes: Buffer;
  /** Gives the bytes back to the socket. */
  putBack(): void;
}

/**
 * Whether unread bytes can be taken whole. False if this Node.js keeps the first bytes of a character elsewhere: the destination would get only the rest
 * of it.
 */
export function canTakeUnread(socket: net.Socket): boolean {
  return bytesInDecoder(socket) !== null;
}

/** Takes the unread bytes without calling listeners, which would use them here. */
export function takeUnread(socket: net.Socket): UnreadBytes {
  const { readableEncoding: encoding } = socket;
  const buffered = Buffer.concat(
    readAll(socket).map((chunk) =>
      typeof chunk === 'string' ? Buffer.from(chunk, encoding ?? undefined) : chunk,
    ),
  );
  return {
    bytes: Buffer.concat([buffered, bytesInDecoder(socket) ?? Buffer.alloc(0)]),
    putBack() {
      // The bytes in the decoder are still there, so nothing has to be put back for them.
      if (buffered.length === 0) return;
      if (encoding === null) socket.unshift(buffered);
      // The bytes are put back as text, like the rest of the buffer: bytes would not be decoded.
      else socket.unshift(buffered.toString(encoding), encoding);
    },
  };
}

function readAll(socket: net.Socket): readonly (Buffer | string)[] {
  if (socket.readableLength === 0) return [];
  Object.defineProperty(socket, 'emit', { value: () => false, configurable: true });
  try {
    const chunks: (Buffer | string)[] = [];
    // Up to Node.js 24, the first read returns everything. A further read would end the socket if its client has ended.
    while (socket.readableLength > 0) {
      const data: unknown = socket.read();
      if (typeof data !== 'string' && !Buffer.isBuffer(data)) break;
      chunks.push(data);
    }
    return chunks;
  } finally {
    Reflect.deleteProperty(socket, 'emit');
  }
}

/** Returns a copy of the bytes in the decoder; null if they cannot be found. */
function bytesInDecoder(socket: net.Socket): Buffer | null {
  if (socket.readableEncoding === null) return Buffer.alloc(0);
  const state: unknown = Reflect.get(socket, '_readableState');
  const decoder = isRecord(state) ? state['decoder'] : null;
  if (!isRecord(decoder)) return null;
  const { lastChar, lastNeed, lastTotal } = decoder;
  // `lastNeed` of the `lastTotal` bytes of the character have not arrived.
  if (!(lastChar instanceof Uint8Array) || typeof lastNeed !== 'number' || typeof lastTotal !== 'number') {
    return null;
  }
  return Buffer.from(lastChar.subarray(0, lastTotal - lastNeed));
}
