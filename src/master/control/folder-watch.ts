/** Notices changes in a folder, without polling it. */
import { type FSWatcher, watch } from 'node:fs';

/**
 * Calls `changed` for every change in the folder, until the returned function is called. It does not keep the process alive. Does
 * nothing when the system has no watches left.
 */
export function watchFolder(folder: string, changed: () => void): () => void {
  let watcher: FSWatcher;
  try {
    watcher = watch(folder, { persistent: false }, changed);
  } catch {
    // The limits of inotify are reached: the socket is looked for at the next reload instead.
    return () => undefined;
  }
  const close = (): void => {
    watcher.close();
  };
  // The directory is gone, if the system reports that as an error.
  watcher.on('error', () => {
    close();
    changed();
  });
  return close;
}
