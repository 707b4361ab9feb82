/** The content of a watched path at one moment, and whether a later one counts as a change. Pure. */

/** The content of a path: for a file one entry named '', for a directory one for each file below it. */
export interface Content {
  readonly kind: 'content';
  /** Where the watched path led. A deploy that switches a symlink changes it, even when every byte is the same. */
  readonly realpath: string;
  /** The hash of each file, by its path relative to the watched one. For a symlink, the target is added. */
  readonly entries: ReadonlyMap<string, string>;
  /** Files and directories (relative paths) that exist but could not be read, so that nothing is known of what is at or below them. */
  readonly unknown: readonly string[];
}

/**
 * The content of a path. `absent`: it is missing, unreadable, or something without content. A deploy in progress looks like that, so it does not count as
 * a change.
 */
export type Fingerprint = Content | { readonly kind: 'absent' };

export interface Verdict {
  /** The content with which the next fingerprint is to be compared. */
  readonly baseline: Content;
  /** The first changed entry, '' for the watched path itself; null when nothing changed. */
  readonly changed: string | null;
}

/** Compares a fingerprint with the baseline: whether it is a change, and the baseline from then on. */
export function judge(baseline: Content, next: Fingerprint): Verdict {
  if (next.kind === 'absent') return { baseline, changed: null };
  const entries = withKnown(next, baseline);
  const settled: Content = { ...next, entries };
  if (next.realpath !== baseline.realpath) return { baseline: settled, changed: '' };
  return { baseline: settled, changed: firstDifference(baseline.entries, entries) };
}

/** The entries of `next`, with those of `before` for everything that could not be read this time. */
function withKnown(next: Content, before: Content): ReadonlyMap<string, string> {
  if (next.unknown.length === 0) return next.entries;
  const entries = new Map(next.entries);
  for (const [path, hash] of before.entries) {
    if (!entries.has(path) && next.unknown.some((unknown) => isAtOrBelow(path, unknown)))
      entries.set(path, hash);
  }
  return entries;
}

function isAtOrBelow(path: string, top: string): boolean {
  return top === '' || path === top || path.startsWith(`${top}/`);
}

function firstDifference(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string | null {
  for (const [path, hash] of after) if (before.get(path) !== hash) return path;
  for (const path of before.keys()) if (!after.has(path)) return path;
  return null;
}
