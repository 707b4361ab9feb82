/** Finds the word that was probably meant. Pure. */

/**
 * Returns the one of `words` that is the fewest typing mistakes away from `typed`; null if none is close. `most` is the maximum number of mistakes.
 * Its default is one in a short word, and up to three in a long one: more would be guessing.
 */
export function nearest(
  typed: string,
  words: readonly string[],
  most: number = Math.min(3, Math.max(1, Math.floor(typed.length / 2))),
): string | null {
  const ranked = words
    .map((word) => ({ word, mistakes: mistakesBetween(typed.toLowerCase(), word.toLowerCase()) }))
    .filter(({ mistakes }) => mistakes <= most)
    .sort((one, other) => one.mistakes - other.mistakes);
  return ranked[0]?.word ?? null;
}

/** Counts the mistakes, by optimal string alignment: letters added, left out, replaced, or swapped with their neighbour. */
function mistakesBetween(one: string, other: string): number {
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row.push(
        Math.min(
          (previous[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (previous[j - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (beforePrevious[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[other.length] ?? 0;
}
