/** Text in the columns of a terminal, where a wide character takes two columns and a combining accent none. Pure. */
import stringWidth from 'fast-string-width';

const ellipsis = '…';

/** Returns how many columns the text takes. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Appends spaces to the text, up to this width. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Prepends spaces to the text, up to this width. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/** Cuts the end of a text that is wider than this: `cannot conn…`. */
export function cutEnd(text: string, width: number): string {
  return widthOf(text) <= width ? text : headOf(graphemes(text), width - 1) + ellipsis;
}

/** Cuts the start of a text that is wider than this: `…eases/42/app.js`. The end tells most about a path. */
export function cutStart(text: string, width: number): string {
  return widthOf(text) <= width ? text : ellipsis + tailOf(graphemes(text), width - 1);
}

/** Cuts the middle of a text that is wider than this: `web-pro…worker`. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const all = graphemes(text);
  const end = tailOf(all, Math.floor((width - 1) / 2));
  return headOf(all, width - 1 - widthOf(end)) + ellipsis + end;
}

/** Aligns the cells of the rows in columns, two spaces apart. */
export function align(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<readonly number[]>(
    (known, row) => row.map((cell, column) => Math.max(widthOf(cell), known[column] ?? 0)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => padEnd(cell, (widths[column] ?? 0) + 2))
      .join('')
      .trimEnd(),
  );
}

/** Splits the text into what a reader sees as characters. One may be several code points. */
function graphemes(text: string): readonly string[] {
  return Array.from(new Intl.Segmenter('en').segment(text), ({ segment }) => segment);
}

/** Joins as many of the first characters as fit. */
function headOf(characters: readonly string[], width: number): string {
  let room = width;
  let head = '';
  for (const character of characters) {
    room -= widthOf(character);
    if (room < 0) break;
    head += character;
  }
  return head;
}

/** Joins as many of the last characters as fit. */
function tailOf(characters: readonly string[], width: number): string {
  let room = width;
  let tail = '';
  for (const character of characters.toReversed()) {
    room -= widthOf(character);
    if (room < 0) break;
    tail = character + tail;
  }
  return tail;
}
