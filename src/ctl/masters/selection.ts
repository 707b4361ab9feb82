/** What selecting programs and masters have in common: the words, and what they come to. Pure. */
import type { GracefulRunError } from '../../shared/errors.ts';
import { isAnswering, type ListedMaster } from './listed-masters.ts';

/** What the command line names. */
export interface Wanted {
  readonly words: readonly string[];
  readonly all: boolean;
}

export interface Selection<Found> {
  readonly found: readonly Found[];
  /** The words that mean nothing that runs, or only a master that does not answer. */
  readonly missing: readonly { readonly word: string; readonly error: GracefulRunError }[];
}

/** The word that means every program, or every master, as for supervisorctl. */
export const everything = 'all';

/** The words with `all` understood: it is `--all`, unless something that runs, a program, a group or a master, has that name. */
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

/** How the command is written with a name, for hints. */
export type Spell = (name: string) => string;

/** The masters that do not answer, as what is missing. */
export function silentOf(masters: readonly ListedMaster[]): Selection<never>['missing'] {
  return masters.flatMap((master) =>
    isAnswering(master) ? [] : [{ word: master.name, error: master.error }],
  );
}

export function listOf(names: readonly string[]): string {
  const more = names.length - mostNames;
  return more <= 1 ? names.join(', ') : `${names.slice(0, mostNames).join(', ')} and ${more} more`;
}

/** More of them would hide the sentence. */
const mostNames = 12;
