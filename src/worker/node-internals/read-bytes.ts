/**
 * Finds the bytes that a libuv stream has just read, for code that reads below Node.js's own streams. Up to Node.js 24 the buffer passed
 * to `onread` holds those bytes only. In Node.js 26 it may be longer, and the rest holds other data. Node.js keeps the offset and the
 * length in an array that `process.binding` returns (20, 22, 24 and 26; deprecated, and not documented).
 */

interface StreamBinding {
  readonly streamBaseState: ArrayLike<number>;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
}

/** The binding of Node.js; undefined before the first use, null if this Node.js does not have it. */
let binding: StreamBinding | null | undefined;

/** The last major version of Node.js whose buffers hold nothing but the bytes that were read. */
const lastExactMajor = 24;

/**
 * Call it in `onread`, before anything else is read. Returns null if offset and length cannot be known: under the permission model there
 * is no `process.binding`.
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

/** Hides our own use of a deprecated function from `--throw-deprecation --pending-deprecation`, which are meant for the application. */
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
