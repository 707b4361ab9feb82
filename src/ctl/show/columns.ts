/** Text in the columns of a terminal, where a wide character takes two and an accent of its own none. Pure. */
import stringWidth from 'string-width';

const ellipsis = '…';

/** How many columns the text takes. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The text with spaces behind it, up to this width. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** The text with spaces before it, up to this width. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/** The beginning of a text that is wider than this: `cannot conn…`. */
export function cutEnd(text: string, width: number): string {
  return widthOf(text) <= width ? text : headOf(graphemes(text), width - 1) + ellipsis;
}

/** The end of a text that is wider than this, which tells most about a path: `…eases/42/app.js`. */
export function cutStart(text: string, width: number): string {
  return widthOf(text) <= width ? text : ellipsis + tailOf(graphemes(text), width - 1);
}

/** Both ends of a text that is wider than this: `web-pro…worker`. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const all = graphemes(text);
  const end = tailOf(all, Math.floor((width - 1) / 2));
  return headOf(all, width - 1 - widthOf(end)) + ellipsis + end;
}

/** Rows of equal columns, two spaces apart. */
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

/** What a reader sees as one character may be several code points. */
function graphemes(text: string): readonly string[] {
  return Array.from(new Intl.Segmenter('en').segment(text), ({ segment }) => segment);
}

/** As many of the first as fit. */
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

/** As many of the last as fit. */
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
