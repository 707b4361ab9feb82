/** Selects the masters that the words of a command line name. Pure. */
import { GracefulRunError } from '../../shared/errors.ts';
import { nearest } from '../../shared/nearest.ts';
import { type AnsweringMaster, isAnswering, type ListedMaster } from './listed-masters.ts';
import { isPattern, matchesName } from './name-patterns.ts';
import { allPrograms } from './select-programs.ts';
import { listOf, type Selection, silentOf, type Wanted } from './selection.ts';
import type { Spell } from './spelling.ts';

/** Returns the masters that the words name. Without a word, that is the only one of `eligible`. @throws GracefulRunError masterAmbiguous. */
export function selectMasters(
  masters: readonly ListedMaster[],
  wanted: Wanted,
  spell: Spell,
  isEligible: (master: AnsweringMaster) => boolean = () => true,
): Selection<AnsweringMaster> {
  const { words, all } = wanted;
  const eligible = masters.filter((master) => !isAnswering(master) || isEligible(master));
  if (words.length === 0 && !all) {
    const candidates = eligible.length === 0 ? masters : eligible;
    if (candidates.length > 1) throw severalMasters(candidates, spell);
    return chosenOf(candidates, []);
  }
  const chosen = all ? eligible : masters.filter(({ name }) => words.some((word) => matchesName(word, name)));
  const unknown = words.filter((word) => !masters.some(({ name }) => matchesName(word, name)));
  return chosenOf(
    chosen,
    unknown.map((word) => ({ word, error: unknownMaster(word, masters, spell) })),
  );
}

function chosenOf(
  masters: readonly ListedMaster[],
  missing: Selection<AnsweringMaster>['missing'],
): Selection<AnsweringMaster> {
  return { found: masters.filter(isAnswering), missing: [...silentOf(masters), ...missing] };
}

function unknownMaster(word: string, masters: readonly ListedMaster[], spell: Spell): GracefulRunError {
  const names = masters.map(({ name }) => name);
  const owner = allPrograms(masters).find(
    ({ status, label }) => status.program === word || label === word,
  )?.master;
  const close = isPattern(word) ? null : nearest(word, names);
  return new GracefulRunError(
    'masterNotFound',
    isPattern(word)
      ? `cannot find a master: no name matches ${word}`
      : owner === undefined
        ? `cannot find a master: none called ${word} is running`
        : `cannot find a master: ${word} is a program of the master ${owner.name}`,
    {
      hint:
        owner !== undefined
          ? spell(owner.name)
          : close !== null
            ? `did you mean ${spell(close)}?`
            : names.length === 1
              ? `the only one is ${listOf(names)}`
              : `there are ${listOf(names)}`,
    },
  );
}

function severalMasters(masters: readonly ListedMaster[], spell: Spell): GracefulRunError {
  const names = masters.map(({ name }) => name);
  return new GracefulRunError(
    'masterAmbiguous',
    `cannot choose among ${names.length} masters: ${listOf(names)}`,
    { hint: `name one of them: ${spell(names[0] ?? '')}` },
  );
}
