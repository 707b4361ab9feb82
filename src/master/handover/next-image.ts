/**
 * The program that replaces this one: graceful-run and Node.js, as they are found now where they were started from. It is started once as a child, to see
 * whether it can read the snapshot, before it is executed in this very process.
 */
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { basename } from 'node:path';
import { GracefulRunError, systemCode } from '../../shared/errors.ts';
import { errorLineOf } from '../../shared/error-line.ts';
import { findInPath } from '../launch/resolve-command.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import { execute, loadExecCalls } from '../system-calls/exec-calls.ts';
import { keepFromChildren, keepThroughExec } from '../system-calls/descriptor-calls.ts';
import { checkFlag, resumeFlag } from './flags.ts';
import { descriptorsOf } from './record.ts';
import { type Snapshot, writeSnapshot } from './snapshot.ts';

export interface NextImage {
  /** Finds out whether the next image can take over. Errors: `upgradeFailed`. */
  check(snapshot: Snapshot): Promise<void>;
  /** Runs the next image in this process. Returns only if that fails. */
  replace(snapshot: Snapshot): GracefulRunError;
}

/** How long the child may take. It reads the snapshot, and loads the code. */
const checkMs = 30_000;

/** `words`: the command line of this master. */
export function createNextImage(words: readonly string[]): NextImage {
  function commandLine(
    flag: string,
    fd: number,
  ): { readonly file: string; readonly args: readonly string[] } {
    const [, script = ''] = process.argv;
    return { file: nodeFile(), args: [...process.execArgv, script, `${flag}${fd}`, ...words] };
  }

  return {
    async check(snapshot) {
      if (process.platform !== 'linux')
        throw new GracefulRunError(
          'upgradeFailed',
          `cannot upgrade on ${process.platform}: only Linux lets a process keep its workers`,
        );
      await loadExecCalls();
      const fd = writeSnapshot(snapshot);
      try {
        const { file, args } = commandLine(checkFlag, 3);
        const refusal = await run(file, args, fd);
        if (refusal !== null)
          throw new GracefulRunError(
            'upgradeFailed',
            `cannot upgrade: the new version cannot take over: ${refusal.problem}`,
            {
              hint:
                refusal.hint ??
                `see whether it can be started at all: ${file} ${process.argv[1] ?? ''} --version`,
            },
          );
      } finally {
        closeSync(fd);
      }
    },
    replace(snapshot) {
      const fd = writeSnapshot(snapshot);
      // Node.js has had its standard streams closed on exec, too.
      const kept = [0, 1, 2, fd, ...descriptorsOf(snapshot.master)];
      const { file, args } = commandLine(resumeFlag, fd);
      for (const one of kept) keepThroughExec(one);
      const code = execute(file, [file, ...args], process.env);
      for (const one of kept) keepFromChildren(one);
      closeSync(fd);
      return new GracefulRunError(
        'upgradeFailed',
        `cannot upgrade: cannot run ${file}: ${plainReason(code)}`,
      );
    },
  };
}

/**
 * Node.js as the command line has named it: the version there may be another one now. If it is not found, or has another name (`exec -a`), it is the one
 * that runs.
 */
function nodeFile(): string {
  const { argv0, execPath, env } = process;
  const isName = ['node', 'nodejs', basename(execPath)].includes(basename(argv0));
  if (!isName || (argv0.includes('/') && !argv0.startsWith('/'))) return execPath;
  return argv0.startsWith('/') ? argv0 : (findInPath(argv0, env['PATH'] ?? '') ?? execPath);
}

interface Refusal {
  readonly problem: string;
  /** What graceful-run itself advises, or null if it does not. */
  readonly hint: string | null;
}

/** Runs the check. Resolves to null, or to what is wrong. */
async function run(file: string, args: readonly string[], fd: number): Promise<Refusal | null> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', fd] });
    const timer = setTimeout(() => child.kill('SIGKILL'), checkMs);
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-mostCharacters);
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      const reason = plainReason(systemCode(error) ?? error.message);
      resolve({ problem: `cannot run ${file}: ${reason}`, hint: null });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(null);
      else
        resolve(
          refusalIn(said.split('\n').filter((line) => line !== '')) ?? {
            problem: `it ended with ${code === null ? 'a signal' : `exit code ${code}`}`,
            hint: null,
          },
        );
    });
  });
}

const mostCharacters = 4_096;

/** How an error of graceful-run begins, and the hint below it. */
const ownError = 'graceful-run: ';
const ownHint = '  hint: ';

/** What the last lines of the check say; null if there are none. */
function refusalIn(lines: readonly string[]): Refusal | null {
  const textAfter = (mark: string): string | null =>
    lines.find((line) => line.startsWith(mark))?.slice(mark.length) ?? null;
  const problem = errorLineOf(lines) ?? textAfter(ownError) ?? lines.at(-1) ?? null;
  return problem === null ? null : { problem, hint: textAfter(ownHint) };
}
