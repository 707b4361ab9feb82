/** Finds the running programs or masters that the words of a command line name. */
import type { Request } from '../command-line.ts';
import { foreignError, notFound, type Search } from './find-masters.ts';
import { listMasters, type Question } from './list-programs.ts';
import type { AnsweringMaster, ListedMaster } from './listed-masters.ts';
import { type FoundProgram, selectPrograms } from './select-programs.ts';
import { ownSearch } from './search.ts';
import { selectMasters } from './select-masters.ts';
import { everything, type Selection, understandAll, type Wanted } from './selection.ts';
import type { Spelling } from './spelling.ts';

/** The selection, the words as they were understood, and all masters that it was chosen from. */
type Choice<Found> = Selection<Found> & {
  readonly wanted: Wanted;
  readonly masters: readonly ListedMaster[];
};

/** Chooses programs like selectPrograms(). @throws GracefulRunError also masterNotFound, and masterForbidden if the word names another user's master. */
export async function choosePrograms(
  request: Request,
  takes: 'one' | 'any',
  question: Question = {},
): Promise<Choice<FoundProgram>> {
  const search = ownSearch();
  const masters = await livingMasters(search, request, question);
  const wanted = understandAll(request.wanted, masters);
  const selection = selectPrograms(masters, wanted, request.spell, takes);
  return { masters, wanted, ...(await withForeign(selection, search, request)) };
}

/** Chooses masters like selectMasters(). @throws GracefulRunError also masterNotFound, and masterForbidden if the word names another user's master. */
export async function chooseMasters(
  request: Request,
  isEligible?: (master: AnsweringMaster) => boolean,
): Promise<Choice<AnsweringMaster>> {
  const search = ownSearch();
  const masters = await livingMasters(search, request);
  const wanted = understandAll(request.wanted, masters);
  const selection = selectMasters(masters, wanted, request.spell, isEligible);
  return { masters, wanted, ...(await withForeign(selection, search, request)) };
}

/** Returns the masters of this user. @throws GracefulRunError if none is running. */
async function livingMasters(
  search: Search,
  request: Request,
  question: Question = {},
): Promise<readonly ListedMaster[]> {
  const masters = await listMasters(search, question);
  const [word = everything] = request.wanted.words;
  if (masters.length === 0) throw await notFound(word === everything ? null : word, search, request);
  return masters;
}

/** Replaces the error for an unknown name if another user's master has that name. */
async function withForeign<Found>(
  selection: Selection<Found>,
  search: Search,
  spelling: Spelling,
): Promise<Selection<Found>> {
  const missing = selection.missing.map(async ({ word, error }) => {
    const isUnknown = error.code === 'programNotFound' || error.code === 'masterNotFound';
    return { word, error: (isUnknown ? await foreignError(word, search, spelling) : null) ?? error };
  });
  return { ...selection, missing: await Promise.all(missing) };
}
