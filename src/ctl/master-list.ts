/** Several masters as a person reads them: a line for each. Pure. */
import type { Status } from '../shared/control-api.ts';
import { formatAddress } from '../shared/format-address.ts';
import { printable } from '../shared/printable.ts';
import { align, formatAge, isServed, type Styles } from './status-table.ts';

export interface ListedMaster {
  readonly name: string;
  readonly answer: { readonly status: Status } | { readonly problem: string };
}

/** The lines, joined, with a final line break. */
export function renderMasters(masters: readonly ListedMaster[], styles: Styles): string {
  const rows = masters.map(({ name, answer }) => [printable(name), ...cellsOf(answer)]);
  const [head = '', ...body] = align([
    ['program', 'address', 'workers', 'generation', 'up', 'state'],
    ...rows,
  ]);
  const coloured = body.map((line, index) => colour(line, masters[index]?.answer, styles));
  const [first] = masters;
  const hint = styles.dim(`one of them in full: gracefulctl status ${printable(first?.name ?? '')}`);
  return `${[styles.dim(head), ...coloured, hint].join('\n')}\n`;
}

function cellsOf(answer: ListedMaster['answer']): readonly string[] {
  if ('problem' in answer) return ['-', '-', '-', '-', printable(answer.problem)];
  const { listeners, workers, workersWanted, generation, master, state } = answer.status;
  const ready = workers.filter((worker) => worker.state === 'ready').length;
  return [
    listeners.map(({ host, port }) => printable(formatAddress(host, port))).join(', ') || '-',
    `${ready}/${workersWanted}`,
    generation === null ? '-' : String(generation),
    formatAge(master.uptimeMs),
    state,
  ];
}

/** The state is the last cell, so that its colour needs no place in a column. */
function colour(line: string, answer: ListedMaster['answer'] | undefined, styles: Styles): string {
  if (answer === undefined) return line;
  const last = 'problem' in answer ? printable(answer.problem) : answer.status.state;
  const paint = 'problem' in answer || !isServed(answer.status) ? styles.bad : styles.good;
  return line.slice(0, line.length - last.length) + paint(last);
}
