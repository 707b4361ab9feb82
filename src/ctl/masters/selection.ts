/** The parts that selecting programs and selecting masters have in common. Pure. */
import type { GracefulRunError } from '../../shared/errors.ts';
import { isAnswering, type ListedMaster } from './listed-masters.ts';

/** The words of the command line, and whether everything was asked for. */
export interface Wanted {
  readonly words: readonly string[];
  readonly all: boolean;
}

export interface Selection<Found> {
  readonly found: readonly Found[];
  /** The words that name nothing that runs, or only a master that does not answer. */
  readonly missing: readonly { readonly word: string; readonly error: GracefulRunError }[];
}

/** The word that means every program, or every master, as for supervisorctl. */
export const everything = 'all';

/** Reads the word `all` as `--all`, unless a running program, group or master has that name. */
export function understandAll(wanted: Wanted, masters: readonly ListedMaster[]): Wanted {
  if (!wanted.words.includes(everything)) return wanted;
  const isName = masters.some(
    (master) =>
      master.name === everything ||
      (isAnswering(master) &&
        master.programs.some(({ program, group }) => program === everything || group === everything)),
  );
  return isName ? wanted : { words: [], all: true };
}

/** Returns the masters that do not answer as `missing`. */
export function silentOf(masters: readonly ListedMaster[]): Selection<never>['missing'] {
  return masters.flatMap((master) =>
    isAnswering(master) ? [] : [{ word: master.name, error: master.error }],
  );
}

export function listOf(names: readonly string[]): string {
  const more = names.length - mostNames;
  return more <= 1 ? names.join(', ') : `${names.slice(0, mostNames).join(', ')} and ${more} more`;
}

/** How many names a sentence lists: more of them would hide the rest of it. */
const mostNames = 12;
