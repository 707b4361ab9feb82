/** Formats Markdown tables and the figures in their cells. Pure. */
import { median, range } from '../statistics.ts';

export type Row = readonly string[];

export function table(head: Row, rows: readonly Row[]): readonly string[] {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (row: Row): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

/** Formats the median, with minimum and maximum if there are several values. */
export function spread(values: readonly number[], write: (value: number) => string): string {
  const [least, greatest] = range(values);
  const middle = write(median(values));
  return values.length < 2 ? middle : `${middle} (${write(least)}–${write(greatest)})`;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function tenths(value: number): string {
  return value.toFixed(1);
}

export function hundredths(value: number): string {
  return value.toFixed(2);
}

export function megabytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}

/** Formats the number of failures, and how many there are of each kind. */
export function failures(failed: number, kinds: Readonly<Record<string, number>>): string {
  const parts = Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`);
  return parts.length === 0 ? whole(failed) : `${whole(failed)} (${parts.join(', ')})`;
}
