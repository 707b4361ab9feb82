/** Renders the picture of `gracefulctl top`: a line for each program and, if there is room, for each of its workers. Pure. */
import type { Status, WorkerStatus } from '../../shared/control-api.ts';
import { count } from '../../shared/count-words.ts';
import { printable } from '../../shared/printable.ts';
import { cutEnd, cutMiddle, padEnd, padStart, widthOf } from './columns.ts';
import type { Usage } from './process-usage.ts';
import { meaningOf, readyOf, stateOf } from './programs-table.ts';
import {
  formatAge,
  formatBytes,
  formatLag,
  formatRate,
  type Rates,
  renderDrain,
  type Styles,
} from './status-view.ts';

/** A program at one moment. */
export interface TopProgram {
  readonly label: string;
  readonly status: Status;
  readonly usage: Usage | null;
  /** The memory and CPU use of the workers, by pid. */
  readonly workerUsage: ReadonlyMap<number, Usage>;
  /** The rates of the program; null if they are not known yet, or if it is not a Node.js program. */
  readonly rates: Rates | null;
  /** The rates of the workers, by pid. */
  readonly workerRates: ReadonlyMap<number, Rates>;
}

export interface TopOptions {
  /** The width of a line; null for any width. */
  readonly columns: number | null;
  /** The maximum number of lines; null for any number. */
  readonly rows: number | null;
  readonly styles: Styles;
  /** The line above the table. */
  readonly title: string;
  /** The lines below the table: why a program or master that the command names is not in it. */
  readonly problems: readonly string[];
}

const order = [
  'name',
  'state',
  'generation',
  'ready',
  'requests',
  'errors',
  'connections',
  'lag',
  'cpu',
  'memory',
] as const;
type Column = (typeof order)[number];
type Cells = Readonly<Record<Column, string>>;

const heads: Cells = {
  name: 'program',
  state: 'state',
  generation: 'gen',
  ready: 'ready',
  requests: 'req/s',
  errors: '5xx/s',
  connections: 'conns',
  lag: 'lag',
  cpu: 'cpu',
  memory: 'memory',
};
/** The columns that are left out if there is no room, in this order. */
const givingWay: readonly Column[] = ['generation', 'ready', 'errors', 'memory', 'connections', 'cpu', 'lag'];
const gap = 2;
const leastName = 7;

type Line =
  | {
      readonly kind: 'row';
      readonly cells: Cells;
      readonly meaning: keyof Styles;
      readonly isWorker: boolean;
    }
  | { readonly kind: 'below'; readonly text: string };

/** Renders the picture: the lines, joined, with a final line break. */
export function renderTop(
  programs: readonly TopProgram[],
  { columns, rows, styles, title, problems }: TopOptions,
): string {
  const width = columns ?? Infinity;
  const reasons = problems.map((problem) => cutEnd(printable(problem), width));
  // At most a third of the screen is for the reasons, the rest is for the table.
  const below = rows === null ? reasons : shortened(reasons, Math.max(1, Math.floor(rows / 3)));
  const room = rows === null ? null : Math.max(1, rows - below.length);
  const whole = programs.flatMap((program) => linesOf(program, true));
  // Two more lines are needed above: the title and the column heads.
  const hasRoom = room === null || whole.length + 2 <= room;
  const lines = hasRoom ? whole : programs.flatMap((program) => linesOf(program, false));
  const layout = fit(
    lines.flatMap((line) => (line.kind === 'row' ? [line.cells] : [])),
    width,
  );
  const text = [
    styles.dim(cutEnd(title, width)),
    styles.dim(renderCells(heads, layout)),
    ...lines.map((line) => {
      if (line.kind === 'below') return styles.warn(cutEnd(line.text, width));
      const row = renderCells(line.cells, layout);
      const { state } = line.cells;
      return layout.has('state') ? row.replace(state, () => styles[line.meaning](state)) : row;
    }),
  ];
  const table = room === null ? text : shortened(text, room);
  return `${[...table, ...below.map((problem) => styles.bad(problem))].join('\n')}\n`;
}

/** Cuts the list to this many lines. The last line then says how many are missing. */
function shortened(lines: readonly string[], rows: number): readonly string[] {
  const missing = lines.length - rows;
  return missing <= 0 ? lines : [...lines.slice(0, rows - 1), `… ${count(missing + 1, 'more line')}`];
}

function linesOf(program: TopProgram, hasWorkers: boolean): readonly Line[] {
  const { label, status, usage, rates, workerUsage, workerRates } = program;
  const own: Line = {
    kind: 'row',
    isWorker: false,
    meaning: meaningOf(status),
    cells: {
      name: printable(label),
      state: stateOf(status),
      generation: status.generation === null ? '-' : String(status.generation),
      ready: readyOf(status),
      ...numbers(rates, usage),
      connections: known(sum(status.workers.map(connectionsOf))),
      lag: formatLag(maximum(status.workers.map(({ load }) => load?.eventLoop.delayP99Ms ?? null))),
    },
  };
  const workers = status.workers.flatMap((worker): readonly Line[] => {
    const isLeaving = worker.draining !== null;
    if (!hasWorkers && !isLeaving) return [];
    const { pid } = worker;
    const row: Line = {
      kind: 'row',
      isWorker: true,
      meaning: isLeaving ? 'warn' : worker.isAccepting ? 'good' : 'dim',
      cells: {
        name: `  ${pid ?? '-'}`,
        state: worker.state,
        generation: String(worker.generation),
        ready: formatAge(worker.uptimeMs),
        ...numbers(
          pid === null ? null : (workerRates.get(pid) ?? null),
          pid === null ? null : (workerUsage.get(pid) ?? null),
        ),
        connections: known(connectionsOf(worker)),
        lag: formatLag(worker.load?.eventLoop.delayP99Ms ?? null),
      },
    };
    return [row, ...renderDrain(worker).map((text) => ({ kind: 'below', text: `  ${text}` }) as const)];
  });
  return [own, ...workers];
}

function numbers(
  rates: Rates | null,
  usage: Usage | null,
): Pick<Cells, 'requests' | 'errors' | 'cpu' | 'memory'> {
  return {
    requests: rates === null ? '-' : formatRate(rates.requests),
    errors: rates === null ? '-' : formatRate(rates.errors),
    cpu: usage === null ? '-' : `${usage.cpuPercent}%`,
    memory: usage === null ? '-' : formatBytes(usage.memoryBytes),
  };
}

function connectionsOf({ load, draining }: WorkerStatus): number | null {
  return load?.connections ?? draining?.connections ?? null;
}

/** Returns the sum of the known values; null if none is known. */
function sum(values: readonly (number | null)[]): number | null {
  return values.reduce((total, one) => (one === null ? total : (total ?? 0) + one), null);
}

function maximum(values: readonly (number | null)[]): number | null {
  return values.reduce((most, one) => (one === null ? most : Math.max(most ?? 0, one)), null);
}

function known(amount: number | null): string {
  return amount === null ? '-' : String(amount);
}

type Layout = ReadonlyMap<Column, number>;

function fit(rows: readonly Cells[], room: number): Layout {
  const widths = new Map<Column, number>(
    order.map((column) => [column, Math.max(...[heads, ...rows].map((cells) => widthOf(cells[column])))]),
  );
  const total = (): number => [...widths.values()].reduce((all, width) => all + width + gap, -gap);
  for (const column of givingWay) if (total() > room) widths.delete(column);
  const name = widths.get('name') ?? 0;
  if (total() > room) widths.set('name', Math.max(leastName, name - (total() - room)));
  for (const column of ['requests', 'state'] as const) if (total() > room) widths.delete(column);
  return widths;
}

function renderCells(cells: Cells, layout: Layout): string {
  return order
    .filter((column) => layout.has(column))
    .map((column) => {
      const width = layout.get(column) ?? 0;
      const text = column === 'name' ? cutMiddle(cells[column], width) : cells[column];
      return column === 'name' || column === 'state' || column === 'ready'
        ? padEnd(text, width)
        : padStart(text, width);
    })
    .join(' '.repeat(gap))
    .trimEnd();
}
