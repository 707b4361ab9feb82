/**
 * The way from `/` to what a path means, one look-up at a time, as the kernel walks it (path_resolution(7)). Each look-up is a
 * place where the meaning can change: a symlink that is switched, a directory that is renamed away. Pure: the function that looks is an argument,
 * and watches each directory just before it looks, so that no switch falls between the two.
 */

/** The entry with a name in a directory. Symlinks are not followed. */
export type Entry =
  | { readonly kind: 'file' }
  | { readonly kind: 'directory' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'missing' }
  /** A socket, a pipe or a device, which has no content. */
  | { readonly kind: 'special' }
  | { readonly kind: 'unreadable'; readonly code: string };

/** Looks up `name` in `directory`, an absolute path without symlinks. */
export type Look = (directory: string, name: string) => Entry;

export type Route =
  | { readonly kind: 'file' | 'directory'; readonly realpath: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'special' }
  | { readonly kind: 'unreadable'; readonly code: string };

/** How many symlinks are followed: as many as the kernel follows before it reports ELOOP. */
const maxLinks = 40;

/** Finds what the absolute path `path` leads to. */
export function followRoute(path: string, look: Look): Route {
  const names = namesOf(path);
  let at = '/';
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      at = parentOf(at);
      continue;
    }
    const entry = look(at, name);
    switch (entry.kind) {
      case 'link':
        links += 1;
        if (links > maxLinks) return { kind: 'unreadable', code: 'ELOOP' };
        names.unshift(...namesOf(entry.target));
        if (entry.target.startsWith('/')) at = '/';
        break;
      case 'directory':
        at = inside(at, name);
        break;
      case 'file':
        return names.length === 0 ? { kind: 'file', realpath: inside(at, name) } : { kind: 'missing' };
      case 'missing':
      case 'special':
      case 'unreadable':
        return entry;
    }
  }
  return { kind: 'directory', realpath: at };
}

/** The path of `name` in `directory`. */
export function inside(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function parentOf(directory: string): string {
  const cut = directory.lastIndexOf('/');
  return cut <= 0 ? '/' : directory.slice(0, cut);
}
