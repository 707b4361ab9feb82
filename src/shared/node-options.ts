/**
 * How the preload gets into NODE_OPTIONS and out again: the master adds it, the worker takes it away before the
 * application can see it. Pure; it must not know what the preload does.
 */

/** NODE_OPTIONS with the preload appended to whatever was there. `preloadPath` is absolute and without symbolic links. */
export function withPreload(nodeOptions: string | undefined, preloadPath: string): string {
  const option = preloadOption(preloadPath);
  return nodeOptions === undefined || nodeOptions === '' ? option : `${nodeOptions} ${option}`;
}

/** NODE_OPTIONS as it was before `withPreload`; others may have appended options of their own since. */
export function withoutPreload(nodeOptions: string, preloadPath: string): string {
  const option = preloadOption(preloadPath);
  for (let at = nodeOptions.lastIndexOf(option); at >= 0; at = nodeOptions.lastIndexOf(option, at - 1)) {
    const before = nodeOptions.slice(0, at);
    const after = nodeOptions.slice(at + option.length);
    const standsAlone = (before === '' || before.endsWith(' ')) && (after === '' || after.startsWith(' '));
    if (standsAlone) return before === '' ? after.slice(1) : before.slice(0, -1) + after;
    if (at === 0) break;
  }
  return nodeOptions;
}

/** Node.js splits NODE_OPTIONS at spaces; double quotes hold a part together, a backslash escapes inside them (cli.md). */
function preloadOption(preloadPath: string): string {
  return `--require "${preloadPath.replace(/[\\"]/g, '\\$&')}"`;
}
