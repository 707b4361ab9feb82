/** Which names programs, groups and masters may have. Pure. */

/** The rule of `isProgramName` in words, for the end of a sentence that says what was expected. */
export const programNameRule =
  'letters, digits, dots, dashes and underscores, at most 64 of them, the first one no dot or dash';

/** Whether the text can be a name. It becomes a file name, and a word of a command line. */
export function isProgramName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(name);
}
