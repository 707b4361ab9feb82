/**
 * Completes a command line of gracefulctl: finds what may stand at the cursor. Pure: it is given a function that finds the names of running programs
 * and masters.
 */
import { type Candidate, type Completion, onlyThese, shells } from '../shared/completion.ts';
import {
  type CommandOption,
  type CommandRow,
  commandTable,
  commonOptions,
  completionCommand,
} from './command-table.ts';

/** Finds the names of running programs or masters. */
export type FindNames = (of: CommandRow['names']) => Promise<readonly Candidate[]>;

/**
 * Completes the last of `words`, which are those after `gracefulctl` up to the cursor. `findNames`, which may take a while, is called only if names
 * may stand at the cursor.
 */
export async function completeWords(words: readonly string[], findNames: FindNames): Promise<Completion> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const name = before.find((word) => !word.startsWith('-'));
  if (name === undefined) {
    if (current.startsWith('-')) return onlyThese(optionsOf([]));
    return onlyThese(
      [...commandTable, completionCommand].map((row) => ({ word: row.name, about: row.description })),
    );
  }
  if (name === completionCommand.name)
    return onlyThese(before.length === 1 ? shells.map((word) => ({ word, about: '' })) : []);
  const row = commandTable.find((one) => one.name === name || one.aliases.includes(name));
  if (row === undefined) return onlyThese([]);
  if (current.startsWith('-')) return onlyThese(optionsIn(row, current, before));
  // With `--all`, no names follow.
  if (before.includes('--all')) return onlyThese([]);
  const names = await findNames(row.names);
  return onlyThese(names.filter(({ word }) => !before.includes(word)));
}

function optionsIn(row: CommandRow, current: string, before: readonly string[]): readonly Candidate[] {
  const known = row.options.filter(({ flag }) => current.startsWith(`--${flag}=`));
  if (known.length > 0)
    return known.flatMap(({ flag, values }) =>
      values.map((value) => ({ word: `--${flag}=${value}`, about: '' })),
    );
  return optionsOf(row.options).filter(({ word }) => !before.includes(word));
}

function optionsOf(own: readonly CommandOption[]): readonly Candidate[] {
  return [
    ...own.flatMap(({ flag, values, description }) => [
      { word: `--${flag}`, about: description },
      ...values.map((value) => ({ word: `--${flag}=${value}`, about: '' })),
    ]),
    ...commonOptions.map(({ flag, description }) => ({ word: `--${flag}`, about: description })),
    { word: '--help', about: 'Show help' },
    { word: '--version', about: 'Show the version' },
  ];
}
