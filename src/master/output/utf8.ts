/** Finds the places at which text may be cut. Pure. */

/** The longest character of UTF-8, in bytes. */
const longest = 4;

/** The index at which the character of the byte at `at` begins; `at` itself if that is not UTF-8. */
export function startOfCharacter(bytes: Uint8Array, at: number): number {
  for (let start = at; start > at - longest && start >= 0; start -= 1)
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start;
  return at;
}

/** The last index at which the bytes can be cut: before a character whose last bytes are missing, or at the end. */
export function endOfCharacters(bytes: Uint8Array): number {
  const last = startOfCharacter(bytes, bytes.length - 1);
  return last + lengthOf(bytes[last] ?? 0) > bytes.length ? last : bytes.length;
}

/** The length of a character in bytes, by its first byte (RFC 3629). */
function lengthOf(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}
