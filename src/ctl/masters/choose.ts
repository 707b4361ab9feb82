/** Finds what the words of a command line mean among everything that runs. */
import type { Request } from '../command-line.ts';
import { foreignError, notFound, type Search } from './find-masters.ts';
import { type AnsweringMaster, type ListedMaster, listMasters, type Question } from './list-programs.ts';
import { type FoundProgram, selectPrograms } from './select-programs.ts';
import { searchFor } from './search.ts';
import { selectMasters } from './select-masters.ts';
import type { Selection, Wanted } from './selection.ts';

/** What is chosen, and everything that it was chosen from. */
type Choice<Found> = Selection<Found> & { readonly masters: readonly ListedMaster[] };

/** As selectPrograms(). @throws GracefulRunError also masterNotFound, and masterForbidden if another user's master is meant. */
export async function choosePrograms(
  { wanted, spell, command }: Request,
  takes: 'one' | 'any',
  question: Question = {},
): Promise<Choice<FoundProgram>> {
  const search = searchFor(command.kind);
  const masters = await livingMasters(search, wanted, question);
  return { masters, ...(await withForeign(selectPrograms(masters, wanted, spell, takes), search)) };
}

/** As selectMasters(). @throws GracefulRunError also masterNotFound, and masterForbidden if another user's master is meant. */
export async function chooseMasters(
  { wanted, spell, command }: Request,
  isEligible?: (master: AnsweringMaster) => boolean,
): Promise<Choice<AnsweringMaster>> {
  const search = searchFor(command.kind);
  const masters = await livingMasters(search, wanted);
  return { masters, ...(await withForeign(selectMasters(masters, wanted, spell, isEligible), search)) };
}

/** @throws GracefulRunError when no master of this user runs. */
async function livingMasters(
  search: Search,
  { words }: Wanted,
  question: Question = {},
): Promise<readonly ListedMaster[]> {
  const masters = await listMasters(search, question);
  if (masters.length === 0) throw await notFound(words[0] ?? null, search);
  return masters;
}

/** A name that is unknown here may be that of another user's master. */
async function withForeign<Found>(selection: Selection<Found>, search: Search): Promise<Selection<Found>> {
  const missing = selection.missing.map(async ({ word, error }) => {
    const isUnknown = error.code === 'programNotFound' || error.code === 'masterNotFound';
    return { word, error: (isUnknown ? await foreignError(word, search) : null) ?? error };
  });
  return { ...selection, missing: await Promise.all(missing) };
}
