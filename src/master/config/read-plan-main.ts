/**
 * The process that reads a config file (its path is the only argument), writes the answer and ends. The master runs no code of the user and keeps
 * no parser in its memory, and a file that is a program is run again at every update.
 */
import { closeSync, writeSync } from 'node:fs';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { version } from '../../shared/version.ts';
import { endWithMaster } from './end-with-master.ts';
import type { Compiled } from './files/compile-config.ts';
import type { Position } from './files/document.ts';
import { explain } from './files/load-module.ts';
import { readConfig } from './files/read-config.ts';
import { answerDescriptor, type ReadPlanAnswer } from './read-plan-answer.ts';

const [file = ''] = process.argv.slice(2);
// The code of the file may replace process.exit.
const exit: (code: number) => never = process.exit.bind(process);

/** Writes the answer and exits at once: a timer or a socket that the file has opened would keep the process running. */
function answer(compiled: Compiled): never {
  const complete: ReadPlanAnswer = { version, ...compiled };
  let rest = Buffer.from(JSON.stringify(complete));
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(answerDescriptor, rest));
    } catch (error) {
      // EAGAIN: the master reads slowly. Anything else: the master has gone.
      if (systemCode(error) !== 'EAGAIN') break;
    }
  }
  closeSync(answerDescriptor);
  exit(0);
}

function problem(message: string, hint: string | null, at: Position | null = null): Compiled {
  return {
    problems: [{ file, line: at?.line ?? null, column: at?.column ?? null, key: null, message, hint }],
  };
}

// What the code of the file throws in a timer or an event handler, or in a promise that it does not wait for.
process.on('uncaughtException', (error) => {
  const { message, hint, at } = explain(error, file);
  answer(problem(message, hint, at));
});
process.on('beforeExit', () => {
  answer(problem('waits for a promise that nothing settles', 'does it await something that never happens?'));
});

// The file sees the variables of the master.
answer(
  await readConfig(file, { ...process.env }, () => {
    endWithMaster(answerDescriptor);
  }).catch((error: unknown) =>
    problem(
      `cannot be read because of a bug in graceful-run: ${messageOf(error)}`,
      'please report it, with the file',
    ),
  ),
);
