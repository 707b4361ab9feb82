/** The table of programs for a person: a line for each program, under a heading if its master has several. Pure. */
import type { MasterStatus, Status } from '../../shared/control-api.ts';
import { count } from '../../shared/count-words.ts';
import { describeRelease } from '../../shared/describe-release.ts';
import { printable } from '../../shared/printable.ts';
import { cutEnd } from './columns.ts';
import { lastProblem } from './last-problem.ts';
import type { Usage } from './process-usage.ts';
import { formatAge, formatBytes, hasNoWorkers, isOnSchedule, isServed, type Styles } from './status-view.ts';
import { type Cells, fit, type Layout, renderCells, renderHead } from './table-layout.ts';

export interface TableProgram {
  readonly status: Status;
  /** The name of the program on the command line. */
  readonly label: string;
  /** The memory and CPU use; null if it is not known. */
  readonly usage: Usage | null;
}

/** A master, with those of its programs that are shown. */
export interface TableGroup {
  /** The name of the master's control socket. */
  readonly name: string;
  readonly answer:
    | { readonly master: MasterStatus; readonly programs: readonly TableProgram[]; readonly total: number }
    /** The reason why the master does not answer. */
    | { readonly problem: string };
}

export interface TableOptions {
  /** The time of the table, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The width of a line; null for any width. */
  readonly columns: number | null;
  readonly styles: Styles;
}

/** Renders the table: the lines, joined, with a final line break. */
export function renderPrograms(groups: readonly TableGroup[], options: TableOptions): string {
  const lines = groups.flatMap((group) => linesOf(group, options.nowMs));
  const layout = fit(
    lines.flatMap((line) => (line.kind === 'program' ? [line.cells] : [])),
    options.columns ?? Infinity,
  );
  const rendered = lines.flatMap((line) =>
    line.kind === 'heading'
      ? [options.styles.dim(cutEnd(line.text, options.columns ?? Infinity))]
      : renderRow(line, layout, options),
  );
  return `${[options.styles.dim(renderHead(layout)), ...rendered].join('\n')}\n`;
}

type Meaning = 'good' | 'warn' | 'bad' | 'dim';

type Line =
  /** A master of several programs, in a line above them. */
  | { readonly kind: 'heading'; readonly text: string }
  | {
      readonly kind: 'program';
      readonly cells: Cells;
      readonly meaning: Meaning;
      readonly isBelowHeading: boolean;
    };

function linesOf({ name, answer }: TableGroup, nowMs: number): readonly Line[] {
  const alone = { kind: 'program', isBelowHeading: false } as const;
  if ('problem' in answer) {
    const problem = printable(answer.problem);
    return [
      {
        ...alone,
        meaning: 'bad',
        cells: { ...empty, program: printable(name), state: 'no answer', problem },
      },
    ];
  }
  const { programs, master, total } = answer;
  if (programs.length === 0) {
    const problem = master.file === null ? '' : `${printable(master.file)} has none`;
    return [
      {
        ...alone,
        meaning: 'dim',
        cells: { ...empty, program: printable(name), state: 'no programs', problem },
      },
    ];
  }
  const isBelowHeading = programs.length > 1;
  const rows = programs.map((program) => ({
    kind: 'program' as const,
    isBelowHeading,
    cells: cellsOf(program, isBelowHeading, nowMs),
    meaning: meaningOf(program.status),
  }));
  return isBelowHeading ? [{ kind: 'heading', text: headingOf(name, master, total) }, ...rows] : rows;
}

function headingOf(name: string, { pid, file }: MasterStatus, total: number): string {
  return `${printable(name)}: ${count(total, 'program')}, pid ${pid}${file === null ? '' : `, ${printable(file)}`}`;
}

const empty: Cells = {
  program: '',
  group: '',
  state: '',
  generation: '-',
  ready: '-',
  up: '-',
  release: '-',
  memory: '-',
  cpu: '-',
  problem: '',
};

function cellsOf({ status, label, usage }: TableProgram, isBelowHeading: boolean, nowMs: number): Cells {
  const { generation, release } = status;
  return {
    program: isBelowHeading ? `  ${printable(status.program)}` : printable(label),
    group: status.group === null ? '' : printable(status.group),
    state: stateOf(status),
    generation: generation === null ? '-' : String(generation),
    ready: readyOf(status),
    up: upOf(status, nowMs),
    release: release === null ? '-' : printable(describeRelease(release)),
    memory: usage === null ? '-' : formatBytes(usage.memoryBytes),
    cpu: usage === null ? '-' : `${usage.cpuPercent}%`,
    problem: lastProblem(status, nowMs) ?? '',
  };
}

/** Returns the workers that accept new connections, and how many are wanted: `2/4`; `-` if the program needs none at the moment. */
export function readyOf(status: Status): string {
  return hasNoWorkers(status) ? '-' : `${readyIn(status)}/${status.workersWanted}`;
}

/** Returns the number of workers that accept new connections. */
function readyIn({ workers }: Status): number {
  return workers.filter(({ isAccepting }) => isAccepting).length;
}

/** Returns the uptime of the oldest worker that accepts new connections; for a program on a schedule, the time until its next run. */
function upOf({ phase, schedule, workers }: Status, nowMs: number): string {
  const nextAt = phase === 'scheduled' ? (schedule?.nextAt ?? null) : null;
  if (nextAt !== null) return `in ${formatAge(nextAt - nowMs)}`;
  const serving = workers.filter(({ isAccepting }) => isAccepting).map(({ uptimeMs }) => uptimeMs);
  return serving.length === 0 ? '-' : formatAge(Math.max(...serving));
}

export function stateOf(status: Status): string {
  if (status.phase === 'serving' && status.probation !== null) return 'probation';
  return !isServed(status) && status.waitsFor.length > 0 ? 'waiting' : status.phase;
}

export function meaningOf(status: Status): Meaning {
  const { phase, exit, probation, workersWanted } = status;
  if (isServed(status)) {
    const isWhole = phase === 'serving' && probation === null && readyIn(status) >= workersWanted;
    return isWhole ? 'good' : 'warn';
  }
  if (phase === 'scheduled') return isOnSchedule(status) ? 'good' : 'bad';
  if (phase === 'restarting' || phase === 'backoff' || phase === 'failed') return 'bad';
  if (phase === 'exited') return exit?.isExpected === true ? 'dim' : 'bad';
  return phase === 'starting' || phase === 'stopping' || status.waitsFor.length > 0 ? 'warn' : 'dim';
}

function renderRow(
  { cells, meaning, isBelowHeading }: Extract<Line, { kind: 'program' }>,
  layout: Layout,
  { columns, styles }: TableOptions,
): readonly string[] {
  const paint = styles[meaning];
  const row = renderCells(cells, layout, (text, column) => {
    if (column === 'state') return paint(text);
    if (column === 'problem') return meaning === 'bad' ? styles.bad(text) : styles.warn(text);
    return text;
  });
  if (layout.has('problem') || cells.problem === '') return [row];
  const below = cutEnd(`${isBelowHeading ? '    ' : '  '}${cells.problem}`, columns ?? Infinity);
  return [row, meaning === 'bad' ? styles.bad(below) : styles.warn(below)];
}
