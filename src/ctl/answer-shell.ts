/** Answers the completion scripts of the shells: with the script itself, and with what can stand at the cursor. */
import {
  completeCommand,
  completionScript,
  renderCompletion,
  type Shell,
  shells,
} from '../shared/completion.ts';
import { completeWords, type Running } from './complete.ts';
import { listMasters } from './masters/list-programs.ts';
import { searchFor } from './masters/search.ts';
import { allPrograms } from './masters/select-programs.ts';

/** What is printed; null: these arguments ask for no completion. */
export async function answerShell(argv: readonly string[]): Promise<string | null> {
  const [command, ...words] = argv;
  if (command === 'completion') {
    const shell = shellIn(words);
    return shell === null ? null : completionScript(shell, 'gracefulctl');
  }
  if (command !== completeCommand) return null;
  return renderCompletion(completeWords(words, await findRunning()), words.at(-1) ?? '');
}

function shellIn(words: readonly string[]): Shell | null {
  return words.length === 1 ? (shells.find((shell) => shell === words[0]) ?? null) : null;
}

/** In a completion, an error has no reader. */
async function findRunning(): Promise<Running> {
  const masters = await listMasters(searchFor('completion'));
  const programs = allPrograms(masters);
  const groups = new Set(programs.flatMap(({ status }) => status.group ?? []));
  return {
    programs: [
      ...programs.map(({ label, status }) => ({ word: label, about: status.phase })),
      ...[...groups].map((group) => ({ word: `${group}:*`, about: 'all programs of the group' })),
    ],
    masters: masters.map(({ name, path }) => ({ word: name, about: path })),
  };
}
