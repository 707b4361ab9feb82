/**
 * Loads the preload into a Node.js process, and hides it there: the master adds it to NODE_OPTIONS, or to the command line, and the worker removes it
 * before the application can see it. Pure.
 * The path of the preload is absolute and without symbolic links.
 */

/**
 * Returns NODE_OPTIONS with the preload appended to the previous value. `needsPermission`: Node.js runs under its permission model and may not read
 * the preload otherwise.
 */
export function withPreload(
  nodeOptions: string | undefined,
  preloadPath: string,
  needsPermission = false,
): string {
  const permission = needsPermission ? `${permissionOption(preloadPath)} ` : '';
  const option = `${permission}${preloadOption(preloadPath)}`;
  return nodeOptions === undefined || nodeOptions === '' ? option : `${nodeOptions} ${option}`;
}

/** Returns NODE_OPTIONS as it was before `withPreload`. Other programs may have appended options of their own since. */
export function withoutPreload(nodeOptions: string, preloadPath: string): string {
  return without(without(nodeOptions, preloadOption(preloadPath)), permissionOption(preloadPath));
}

/** Returns the words that load the preload on a command line, for use if NODE_OPTIONS has to stay as it is. */
export function preloadArguments(preloadPath: string, needsPermission: boolean): readonly string[] {
  return [
    ...(needsPermission ? [`--allow-fs-read=${readableFiles(preloadPath)}`] : []),
    '--require',
    preloadPath,
  ];
}

/** Returns `process.execArgv` without the words of `preloadArguments`. */
export function withoutPreloadArguments(execArgv: readonly string[], preloadPath: string): readonly string[] {
  return execArgv.filter(
    (word, at) =>
      !(word === '--require' && execArgv[at + 1] === preloadPath) &&
      !(word === preloadPath && execArgv[at - 1] === '--require') &&
      word !== `--allow-fs-read=${readableFiles(preloadPath)}`,
  );
}

function preloadOption(preloadPath: string): string {
  return `--require ${quoted(preloadPath)}`;
}

function permissionOption(preloadPath: string): string {
  return `--allow-fs-read=${quoted(readableFiles(preloadPath))}`;
}

/** A pattern for the preload and the bundles beside it. */
function readableFiles(preloadPath: string): string {
  return `${preloadPath.slice(0, preloadPath.lastIndexOf('/'))}/*`;
}

/** Quotes a part of NODE_OPTIONS. Node.js splits it at spaces; double quotes hold a part together, and a backslash escapes inside them (cli.md). */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function without(nodeOptions: string, option: string): string {
  for (let at = nodeOptions.lastIndexOf(option); at >= 0; at = nodeOptions.lastIndexOf(option, at - 1)) {
    const before = nodeOptions.slice(0, at);
    const after = nodeOptions.slice(at + option.length);
    const standsAlone = (before === '' || before.endsWith(' ')) && (after === '' || after.startsWith(' '));
    if (standsAlone) return before === '' ? after.slice(1) : before.slice(0, -1) + after;
    if (at === 0) break;
  }
  return nodeOptions;
}
