/** Extended attributes of files, xattr(7). Loaded with koffi. Linux only. */
import { loadLibrary } from './c-library.ts';

type GetAttribute = (path: string, name: string, value: null, size: number) => number;

let getAttribute: GetAttribute | null = null;

export async function hasAttribute(path: string, name: string): Promise<boolean> {
  if (getAttribute === null) {
    const library = await loadLibrary();
    getAttribute = library.func(
      'ssize_t getxattr(const char *, const char *, void *, size_t)',
    ) as GetAttribute;
  }
  // Without room for the value, the call returns the size of the value.
  return getAttribute(path, name, null, 0) >= 0;
}
