/**
 * Finds where the lines that the master remembers begin in a log file. Positions in the file would be wrong after lost lines, and after a truncation by
 * another program. Pure.
 */

/**
 * How many of the last lines of a file are remembered. In both lists the oldest is first. Usually the end of the file is the beginning of the remembered
 * lines, the last of which may still be on their way to the file. But lines may be missing in the file, or stand between lines of other writers. So the
 * search goes back from the end, as long as more lines are known than unknown: a known line further back is an older one with the same text.
 */
export function knownAtEnd(file: readonly string[], remembered: readonly string[]): number {
  const before = [...remembered];
  /** How often each line occurs in `before`. */
  const left = new Map<string, number>();
  for (const line of remembered) left.set(line, (left.get(line) ?? 0) + 1);
  let [known, score, best] = [0, 0, 0];
  for (const [at, line] of file.toReversed().entries()) {
    if ((left.get(line) ?? 0) === 0) {
      score -= 1;
      continue;
    }
    // Lines that were remembered after this one are missing in the file.
    for (let last = before.pop(); last !== undefined; last = before.pop()) {
      left.set(last, (left.get(last) ?? 0) - 1);
      if (last === line) break;
    }
    // A known line counts double, because another writer may write a little more than this program.
    score += 2;
    if (score <= best) continue;
    best = score;
    known = at + 1;
  }
  return known;
}
