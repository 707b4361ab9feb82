/** Paths through symlinked folders, as /var/run is one to /run. */

/** Returns the path with the symlinks of its folder resolved, or the absolute path itself if there is no such folder. An abstract name stays as it is. */
export function withRealFolder(path: string): string {
  if (path.startsWith('@')) return path;
  const paths = process.getBuiltinModule('node:path');
  const whole = paths.resolve(path);
  try {
    return paths.join(
      process.getBuiltinModule('node:fs').realpathSync(paths.dirname(whole)),
      paths.basename(whole),
    );
  } catch {
    return whole;
  }
}
