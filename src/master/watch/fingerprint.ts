/**
 * What a watched path held at one moment, and whether a later moment counts as a change. Pure.
 */

/** What is there: for a file one entry named '', for a directory one for each file below it. */
export interface Content {
  readonly kind: 'content';
  /** Where the watched path led. A deploy that switches a symlink changes it, even when every byte is the same. */
  readonly realpath: string;
  /** Path relative to the watched one -> hash of the content, with the target when it is a symlink. */
  readonly entries: ReadonlyMap<string, string>;
  /** Files and directories (relative paths) that are there but could not be read: nothing is known of what is at or below them. */
  readonly unknown: readonly string[];
}

/** `absent`: missing, unreadable, or nothing with content. A deploy in progress looks like that, so it does not count as a change. */
export type Fingerprint = Content | { readonly kind: 'absent' };

export interface Verdict {
  /** What the next fingerprint is to be compared with. */
  readonly baseline: Content;
  /** The first changed entry, '' for the watched path itself; null when nothing changed. */
  readonly changed: string | null;
}

/** Whether `next` is a change, and the baseline from now on. */
export function judge(baseline: Content, next: Fingerprint): Verdict {
  if (next.kind === 'absent') return { baseline, changed: null };
  const entries = withKnown(next, baseline);
  const settled: Content = { ...next, entries };
  if (next.realpath !== baseline.realpath) return { baseline: settled, changed: '' };
  return { baseline: settled, changed: firstDifference(baseline.entries, entries) };
}

/** The entries of `next`, and for what could not be read now those of the time before. */
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
