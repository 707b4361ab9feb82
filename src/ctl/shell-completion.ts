/** Answers the completion scripts of the shells: with the script itself, or with what may stand at the cursor. */
import {
  type Candidate,
  completeCommand,
  completionScript,
  renderCompletion,
  type Shell,
  shells,
} from '../shared/completion.ts';
import type { CommandRow } from './command-table.ts';
import { completeWords } from './complete-gracefulctl.ts';
import { findMasters } from './masters/find-masters.ts';
import { listMasters } from './masters/list-programs.ts';
import { ownSearch } from './masters/search.ts';
import { allPrograms } from './masters/select-programs.ts';

/** How long a master may take to answer. A person waits at the prompt: the programs of a slower master are left out. */
const patienceMs = 500;

/** Returns the text to print; null if these arguments request no completion. */
export async function answerCompletion(argv: readonly string[]): Promise<string | null> {
  const [command, ...words] = argv;
  if (command === 'completion') {
    const shell = shellIn(words);
    return shell === null ? null : completionScript(shell, 'gracefulctl');
  }
  if (command !== completeCommand) return null;
  return renderCompletion(await completeWords(words, findNames), words.at(-1) ?? '');
}

function shellIn(words: readonly string[]): Shell | null {
  return words.length === 1 ? (shells.find((shell) => shell === words[0]) ?? null) : null;
}

/** The names that can be completed; none if they cannot be found, because a completion cannot show an error. */
async function findNames(of: CommandRow['names']): Promise<readonly Candidate[]> {
  const search = ownSearch();
  if (of === 'masters')
    return (await findMasters(search)).map(({ name, path }) => ({ word: name, about: path }));
  const programs = allPrograms(await listMasters(search, { timeoutMs: patienceMs }));
  const groups = new Set(programs.flatMap(({ status }) => status.group ?? []));
  return [
    ...programs.map(({ label, status }) => ({ word: label, about: status.phase })),
    ...[...groups].map((group) => ({ word: `${group}:*`, about: 'all programs of the group' })),
  ];
}
