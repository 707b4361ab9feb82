/** Colours by meaning. The code that knows the terminal decides whether colours are used. */

export interface Paint {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

export const plainPaint: Paint = { good: same, warn: same, bad: same, dim: same };

/** The colours of a terminal. Not util.styleText(): it looks at process.stdout, which changes the flags of a pipe that workers share. */
export const colourPaint: Paint = {
  good: sgr(32, 39),
  warn: sgr(33, 39),
  bad: sgr(31, 39),
  dim: sgr(2, 22),
};

function same(text: string): string {
  return text;
}

/** Wraps text in Select Graphic Rendition codes (ECMA-48): `on` before the text, `off` behind it. */
function sgr(on: number, off: number): (text: string) => string {
  return (text) => `\u001B[${on}m${text}\u001B[${off}m`;
}
