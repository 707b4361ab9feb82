/** The words for an update. Pure. */
import type {
  PlanDifference,
  ProgramChange,
  UpdatedProgram,
  UpdateResult,
} from '../../shared/control-api.ts';
import { printable } from '../../shared/printable.ts';
import type { Styles } from './status-view.ts';

/** Describes the difference between the plans, with a line for each program, and the results of the update. */
export function describeUpdate(
  { file, difference, applied, programs }: UpdateResult,
  styles: Styles,
): readonly string[] {
  const lines = describeDifference(difference, styles);
  const source = file === null ? 'the plan' : printable(file);
  if (lines.length === 0) return [`nothing to update: ${source} contains no changes`];
  if (!applied)
    return [...lines, `nothing was done: to apply ${source}, run the same command without --dry-run`];
  return [...lines, ...programs.map((program) => describeProgram(program, styles))];
}

function describeDifference(
  { added, removed, changed, master }: PlanDifference,
  styles: Styles,
): readonly string[] {
  return [
    ...added.map((name) => `${styles.good('+')} ${printable(name)}`),
    ...removed.map((name) => `${styles.bad('-')} ${printable(name)}`),
    ...changed.map((change) => `${styles.warn('~')} ${describeChange(change)}`),
    ...(master.length === 0
      ? []
      : [`${styles.warn('~')} the master: ${listOf(master)} (takes effect when it is started again)`]),
  ];
}

const effects: Readonly<Record<ProgramChange['needs'], string>> = {
  nothing: 'takes effect at once',
  reload: 'needs a reload',
  restart: 'needs a restart',
};

const atNextStart = 'takes effect when the master is started again';

function describeChange({ program, keys, needs, later, runsAgain }: ProgramChange): string {
  const now = keys.filter((key) => !later.includes(key));
  const parts = [
    ...(now.length === 0 ? [] : [`${listOf(now)} (${runsAgain ? 'runs it again' : effects[needs]})`]),
    ...(later.length === 0 ? [] : [`${listOf(later)} (${atNextStart})`]),
  ];
  return `${printable(program)}: ${parts.join(', ')}`;
}

function describeProgram({ program, done, problem }: UpdatedProgram, styles: Styles): string {
  const name = printable(program);
  if (problem === null) return `${name}: ${styles.good(done)}`;
  return `${name}: ${styles.bad(`not ${done}`)}: ${printable(problem)}`;
}

function listOf(keys: readonly string[]): string {
  return keys.map(printable).join(', ');
}
