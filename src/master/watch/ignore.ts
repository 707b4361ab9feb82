/**
 * Directory entries that never count as a change: files that version control, package managers, editors and the running program itself leave there. Pure.
 * A path that is named for watching is watched whatever its name is.
 */

const ignoredNames: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  '.hg',
  '.svn',
  '.jj',
  '.DS_Store',
  'Thumbs.db',
  // Vim creates and deletes this file to find out whether it may write to the directory.
  '4913',
]);

const ignoredPatterns: readonly RegExp[] = [
  // Backups and autosaves: nearly everybody; Emacs's locks and autosaves.
  /~$/,
  /^\.#/,
  /^#.*#$/,
  // Swap files: those of Vim count down from .swp; others are those of Kate.
  /\.sw[opx]$/,
  /^\..+\.sw[a-n]$/,
  /\.kate-swp$/,
  // Temporary files that are renamed over the original at the end: many editors, JetBrains, GNOME.
  /\.tmp$/,
  /___jb_(tmp|old|bak)___$/,
  /^\.goutputstream-/,
  // Locks of office programs; files that are deleted but still open on NFS and FUSE.
  /^\.~lock\./,
  /^\.nfs[0-9a-f]+$/,
  /^\.fuse_hidden/,
  // Logs, which the running program writes: reloading for them would never end.
  /\.log$/,
  /\.pid$/,
];

/** Whether a directory entry of this name is left out, with everything below it. */
export function isIgnored(name: string): boolean {
  return ignoredNames.has(name) || ignoredPatterns.some((pattern) => pattern.test(name));
}
