/** What to do when the machine has run out of something. Pure. */

const hints: Readonly<Record<string, string>> = {
  EMFILE: 'too few file descriptors are allowed: raise the limit (ulimit -n, LimitNOFILE= in systemd)',
  ENFILE: 'the machine has no file descriptor left: see fs.file-max, and who holds them (lsof)',
  ENOSPC: 'a disk is full: see df and df -i (for a watched path: fs.inotify.max_user_watches)',
  EDQUOT: 'the quota of this user is used up',
  ENOMEM: 'the machine, or the limit of this process, has no memory left',
  ENOBUFS: 'the kernel has no memory left for sockets',
  EROFS: 'the file system is read-only',
};

/** What to do about a system error that says that something has run out (errno(3), such as `EMFILE`), or null for any other. */
export function shortageHint(code: string | null): string | null {
  return code === null ? null : (hints[code] ?? null);
}
