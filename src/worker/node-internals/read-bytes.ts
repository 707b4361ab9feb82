/**
 * What a stream of libuv has just read, for those who read below Node.js's own streams. Up to Node.js 24 the buffer that `onread`
 * gets holds that and nothing else; that of 26 may be longer, and its rest is of somebody else's. Where it begins and ends,
 * Node.js keeps in an array that `process.binding` shows (20, 22, 24 and 26; deprecated, and not documented).
 */

interface StreamBinding {
  readonly streamBaseState: ArrayLike<number>;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
}

/** Undefined before it was asked for; null when this Node.js does not show it. */
let binding: StreamBinding | null | undefined;

/** Up to here a buffer holds what was read and nothing else. */
const lastExactMajor = 24;

/**
 * To be called in `onread`, and before anything else is read. Null when it cannot be known, because this Node.js does not show where
 * the bytes begin and end: under the permission model there is no `process.binding`.
 */
export function bytesRead(buffer: ArrayBuffer): Uint8Array | null {
  if (binding === undefined) binding = findBinding();
  if (binding === null && Number.parseInt(process.versions.node, 10) > lastExactMajor) return null;
  const length = binding?.streamBaseState[binding.kReadBytesOrError] ?? -1;
  const offset = binding?.streamBaseState[binding.kArrayBufferOffset] ?? -1;
  const isKnown = length > 0 && offset >= 0 && offset + length <= buffer.byteLength;
  return isKnown ? new Uint8Array(buffer, offset, length) : new Uint8Array(buffer);
}

function findBinding(): StreamBinding | null {
  try {
    const find: unknown = Reflect.get(process, 'binding');
    if (typeof find !== 'function') return null;
    const found = withoutDeprecations((): unknown => Reflect.apply(find, process, ['stream_wrap']));
    return isStreamBinding(found) ? found : null;
  } catch {
    return null;
  }
}

/** It is our use of what is deprecated: `--throw-deprecation --pending-deprecation` is about the application's. */
function withoutDeprecations<Result>(action: () => Result): Result {
  const own = Object.getOwnPropertyDescriptor(process, 'noDeprecation');
  Object.defineProperty(process, 'noDeprecation', { value: true, configurable: true, writable: true });
  try {
    return action();
  } finally {
    if (own === undefined) Reflect.deleteProperty(process, 'noDeprecation');
    else Object.defineProperty(process, 'noDeprecation', own);
  }
}

function isStreamBinding(value: unknown): value is StreamBinding {
  if (typeof value !== 'object' || value === null) return false;
  return (
    typeof Reflect.get(value, 'streamBaseState') === 'object' &&
    typeof Reflect.get(value, 'kReadBytesOrError') === 'number' &&
    typeof Reflect.get(value, 'kArrayBufferOffset') === 'number'
  );
}
