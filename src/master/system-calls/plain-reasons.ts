/** What a system error's code means in plain words. Pure. */

/** The meaning of an error's code, which contains the code for those who search for it; or the code itself if there are no better words. */
export function plainReason(code: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `permission denied (${code})`;
    case 'ELOOP':
      return 'it is part of a symlink loop (ELOOP)';
    case 'EROFS':
      return 'the file system is read-only (EROFS)';
    case 'ENOSPC':
      return 'the disk is full (ENOSPC)';
    case 'EIO':
      return 'the disk failed (EIO)';
    default:
      return code;
  }
}

/** As plainReason(), for a connection to the UNIX socket of a daemon. */
export function daemonReason(code: string): string {
  return code === 'ENOENT' || code === 'ECONNREFUSED'
    ? `no daemon listens there (${code})`
    : plainReason(code);
}
