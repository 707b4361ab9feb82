/**
 * The columns of the table of programs, and how they are fitted to the width of the terminal: first the last problem moves to a line below, then the
 * release is cut, then columns are left out (release, CPU, memory, generation, group, uptime, workers), and at last names are cut. Pure.
 */
import { cutEnd, cutMiddle, cutStart, padEnd, padStart, widthOf } from './columns.ts';

export type Column =
  'program' | 'group' | 'state' | 'generation' | 'ready' | 'up' | 'release' | 'memory' | 'cpu' | 'problem';
export type Cells = Readonly<Record<Column, string>>;
const order: readonly Column[] = [
  'program',
  'group',
  'state',
  'generation',
  'ready',
  'up',
  'release',
  'memory',
  'cpu',
  'problem',
];
const heads: Cells = {
  program: 'program',
  group: 'group',
  state: 'state',
  generation: 'gen',
  ready: 'ready',
  up: 'up',
  release: 'release',
  memory: 'memory',
  cpu: 'cpu',
  problem: 'last problem',
};
const numbers: ReadonlySet<Column> = new Set(['generation', 'memory', 'cpu']);
/** The columns that are left out if there is no room, in this order. */
const givingWay = ['cpu', 'memory', 'generation', 'group', 'up', 'ready'] as const;
const gap = 2;
/** The minimum widths of columns: a narrower one would show too little. */
const leastRelease = 12;
const leastProblem = 30;
const leastProgram = 4;

/** The columns that have room, with their widths. */
export type Layout = ReadonlyMap<Column, number>;

/** Fits the columns to `room`, the width of a line. */
export function fit(rows: readonly Cells[], room: number): Layout {
  const widths = new Map<Column, number>(
    order.map((column) => [column, Math.max(...[heads, ...rows].map((cells) => widthOf(cells[column])))]),
  );
  /** Returns the width of the row without this column. */
  const without = (column: Column): number =>
    [...widths].reduce((sum, [name, width]) => (name === column ? sum : sum + width + gap), 0);
  if (rows.every(({ group }) => group === '')) widths.delete('group');
  if (rows.every(({ problem }) => problem === '')) widths.delete('problem');
  else squeeze('problem', leastProblem);
  squeeze('release', leastRelease);
  for (const column of givingWay) if (without('program') + leastNames(rows) > room) widths.delete(column);
  widths.set(
    'program',
    Math.max(leastProgram, Math.min(widths.get('program') ?? 0, room - without('program'))),
  );
  return widths;

  /** Makes the column as narrow as there is room, and leaves it out if that is less than `least`. */
  function squeeze(column: Column, least: number): void {
    const left = room - without(column);
    const natural = widths.get(column) ?? 0;
    if (left >= natural) return;
    if (left >= least) widths.set(column, left);
    else widths.delete(column);
  }
}

/** Returns the minimum width of names: they are whole as long as a column can give way. */
function leastNames(rows: readonly Cells[]): number {
  return Math.max(widthOf(heads.program), ...rows.map(({ program }) => widthOf(program)));
}

export function renderHead(layout: Layout): string {
  return renderCells(heads, layout, (text) => text);
}

/** Renders a row. Colours take no room, so they are added after the padding is known. */
export function renderCells(
  cells: Cells,
  layout: Layout,
  paint: (text: string, column: Column) => string,
): string {
  const shown = order.filter((column) => layout.has(column));
  const last = shown.filter((column) => cells[column] !== '').at(-1);
  return shown
    .slice(0, shown.findIndex((column) => column === last) + 1)
    .map((column) => {
      const width = layout.get(column) ?? 0;
      const text = cut(cells[column], column, width);
      const padded = numbers.has(column) ? padStart(text, width) : padEnd(text, width);
      const whole = column === last ? padded.trimEnd() : padded;
      return text === '' ? whole : whole.replace(text, () => paint(text, column));
    })
    .join(' '.repeat(gap));
}

function cut(text: string, column: Column, width: number): string {
  if (column === 'release') return cutStart(text, width);
  return column === 'program' ? cutMiddle(text, width) : cutEnd(text, width);
}
