/** Makes text from outside safe to print. */

// An `import` of node:util would load all of its lazy parts too: 2.5 MB in the master.
// oxlint-disable-next-line no-restricted-globals -- this function is pure.
const { stripVTControlCharacters } = process.getBuiltinModule('node:util');

/** Control characters, separators of lines and paragraphs, and characters that reverse the direction of text. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/gu;

/** Returns `text` without control characters, so that the output of a worker can neither move the reader's cursor nor forge a line of the log. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\t', '    ').replace(unprintable, '');
}
