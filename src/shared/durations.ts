/** Durations as people write them (`30s`, `500ms`, `2m`) and as the code holds them (whole milliseconds). */

/** The longest time that a timer of Node.js can wait, in ms: 25 days. A longer one fires at once. */
export const longestTimerMs: number = 2 ** 31 - 1;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Parses `500ms`, `30s`, `2m`, `1h` or `1.5s` into milliseconds; null if the text has no such form. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  if (match === null) return null;
  const [, amount, unit] = match;
  if (amount === undefined || !isUnit(unit)) return null;
  return Math.round(Number(amount) * unitMs[unit]);
}

/** Formats a duration in its shortest exact form: `formatDuration(90_000)` is `90s`, `formatDuration(1_500)` is `1.5s`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms >= 120_000 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  return `${Math.round(ms / 10) / 100}s`;
}

function isUnit(text: string | undefined): text is keyof typeof unitMs {
  return text !== undefined && text in unitMs;
}
