/** What can stand at the cursor of a command line of graceful-run. Pure. */
import { type Candidate, type Completion, onlyThese, shells } from '../../shared/completion.ts';
import { optionTable, type OptionRow } from './option-table.ts';

/** Completes a command line. `words`: the words after `graceful-run` up to the cursor; the last one is being typed. */
export function completeWords(words: readonly string[]): Completion {
  const current = words.at(-1) ?? '';
  if (words.length === 2 && words[0] === 'completion')
    return onlyThese(shells.map((word) => ({ word, about: '' })));
  /** The option that the next word is a value of. A list takes values until the next option. */
  let open: OptionRow | null = null;
  for (const [index, word] of words.slice(0, -1).entries()) {
    if (word === '--') return { candidates: [], more: { commandAt: index + 1 } };
    if (word.startsWith('-')) {
      const row = rowOf(word);
      open = row === null || row.kind === 'boolean' || word.includes('=') ? null : row;
    } else if (open === null) return { candidates: [], more: { commandAt: index } };
    else if (open.kind !== 'list') open = null;
  }
  if (current.startsWith('-')) return optionAt(current, words.slice(0, -1));
  if (open !== null) return valueOf(open, '');
  // The word being typed is the first one of the command.
  return { candidates: [], more: { commandAt: words.length - 1 } };
}

function rowOf(word: string): OptionRow | null {
  const [name = ''] = word.split('=');
  return optionTable.find(({ flag, short }) => name === `--${flag}` || name === `-${short ?? ''}`) ?? null;
}

function optionAt(current: string, before: readonly string[]): Completion {
  const row = current.includes('=') ? rowOf(current) : null;
  if (row !== null) return valueOf(row, `--${row.flag}=`);
  const own = optionTable.map(({ flag, kind, default: preset, description }) => ({
    // An option that is on by default can only be turned off.
    word: kind === 'boolean' && preset === 'on' ? `--no-${flag}` : `--${flag}`,
    about: description,
  }));
  const all: readonly Candidate[] = [
    ...own,
    { word: '--help', about: 'show the help' },
    { word: '--version', about: 'show the version' },
  ];
  return onlyThese(all.filter(({ word }) => !before.includes(word)));
}

/** Completes the value of an option. `prefix`: the text before the value in the same word. */
function valueOf({ values = [] }: OptionRow, prefix: string): Completion {
  if (values === 'files' || values === 'folders') return { candidates: [], more: values };
  return onlyThese(values.map((value) => ({ word: prefix + value, about: '' })));
}
