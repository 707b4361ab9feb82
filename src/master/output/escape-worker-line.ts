/**
 * Makes a line of a worker safe to show: it must not move the cursor, overwrite another line, or colour the next one. Pure. The line is given as Latin-1,
 * one character for each byte, because it need not be UTF-8.
 */

// CSI, OSC, DCS and the other strings, two-character sequences: ECMA-48, with what a terminal makes of an unfinished one.
export const escapeSequences: RegExp =
  /* oxlint-disable-next-line no-control-regex */
  /\u001B(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[ -/]*[0-~]?)/g;
/* oxlint-disable-next-line no-control-regex */
const colour = /^\u001B\[[\d;:]*m$/;
// Control characters, also those above 0x7F (two bytes in UTF-8): some terminals obey them.
/* oxlint-disable-next-line no-control-regex */
const controls = /\u00C2[\u0080-\u009F]|[\u0000-\u0008\u000A-\u001F\u007F]/g;

/** Removes control characters and sequences from the line, except tabs and, if `keepsColours` is set, colours. */
export function escapeWorkerLine(line: string, keepsColours: boolean): string {
  // Colours are set aside while the rest is removed.
  const kept: string[] = [];
  const safe = line
    .replaceAll(escapeSequences, (sequence) => {
      if (!keepsColours || !colour.test(sequence)) return '';
      kept.push(sequence);
      return '\u001B';
    })
    .replaceAll(controls, (character) => (character === '\u001B' ? (kept.shift() ?? '') : ''));
  return safe.includes('\u001B') ? `${safe}\u001B[0m` : safe;
}
