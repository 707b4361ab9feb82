/** Has a config file read by a process of its own (read-plan-main.ts), and takes its answer. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PlanProblem } from '../../shared/control-api.ts';
import { formatDuration } from '../../shared/durations.ts';
import { messageOf } from '../../shared/errors.ts';
import { version } from '../../shared/version.ts';
import { withoutOwnUnit } from '../launch/worker-environment.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { PlacedPlan } from './plan-places.ts';
import { planInvalid } from './plan-invalid.ts';
import { answerDescriptor, type ReadPlanAnswer } from './read-plan-answer.ts';

export interface ReadPlanOptions {
  /** Variables that `${NAME}` in the file stands for, and that a file that is a program runs with. */
  readonly environment: NodeJS.ProcessEnv;
  /** How long the file may take. Default 30 s. */
  readonly timeoutMs?: number;
  /** The path of the program that reads the file. Default: the one of this package. */
  readonly reader?: string;
}

/** A file that is a program may wait for the network. */
const defaultTimeoutMs = 30_000;
/** More than any plan needs. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** Resolves to the plan, frozen. `file`: an absolute path. What it prints goes to this process's stderr. Error: `planInvalid`, with all problems. */
export async function readPlan(file: string, options: ReadPlanOptions): Promise<PlacedPlan> {
  const answer = await ask(file, options);
  if ('problems' in answer) throw planInvalid(file, answer.problems);
  return { plan: deepFreeze(answer.plan), places: answer.places };
}

type Answer = PlacedPlan | { readonly problems: readonly PlanProblem[] };

interface Ended {
  readonly bytes: Buffer;
  readonly isTimeOver: boolean;
  readonly code: number | null;
  readonly signal: string | null;
}

async function ask(file: string, options: ReadPlanOptions): Promise<Answer> {
  const reader = options.reader ?? fileURLToPath(new URL('./read-plan.js', import.meta.url));
  const problem = (message: string, hint: string | null): Answer => ({
    problems: [{ file, line: null, column: null, key: null, message, hint }],
  });
  if (!existsSync(reader))
    return problem(
      `cannot be read: ${reader} no longer exists`,
      'graceful-run was uninstalled while the master was running: install it again',
    );
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  let ended: Ended;
  try {
    ended = await run(reader, file, options.environment, timeoutMs);
  } catch (error) {
    return problem(`cannot be read: the process that reads it cannot be started: ${messageOf(error)}`, null);
  }
  const { bytes, isTimeOver, code, signal } = ended;
  if (isTimeOver)
    return problem(
      `was not read within ${formatDuration(timeoutMs)}`,
      'check whether its code waits for something that never happens',
    );
  if (bytes.length === 0) {
    const how = signal === null ? `exit code ${code ?? 0}` : signal;
    return problem(
      `ends the process that reads it (${how})`,
      'its output is above; it must not call process.exit()',
    );
  }
  const answer = parseAnswer(bytes);
  if (answer === null)
    return problem(
      `writes to file descriptor ${answerDescriptor}, which graceful-run itself uses`,
      'do not use that file descriptor',
    );
  if (answer.version !== version)
    return problem(
      `cannot be read: this master is graceful-run ${version}, but version ${answer.version} is installed now`,
      'restart the master, so that it runs the installed version',
    );
  return answer;
}

/** Runs the process that reads the file. Rejects if it cannot be started. */
async function run(
  reader: string,
  file: string,
  environment: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [reader, file], {
      env: withoutOwnUnit(environment),
      // What the file prints is neither part of the answer nor output of a worker.
      stdio: ['ignore', 2, 2, 'pipe'],
    });
    // The file may wait forever, and the master may end meanwhile.
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', kill);
    const pipe = child.stdio[answerDescriptor];
    const chunks: Buffer[] = [];
    let length = 0;
    let isTimeOver = false;
    const timer = setTimeout(() => {
      isTimeOver = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    pipe?.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > maxAnswerBytes) child.kill('SIGKILL');
    });
    // The answer is complete: what the file has left running must not keep the process.
    pipe?.on('end', () => child.kill('SIGKILL'));
    pipe?.on('error', () => undefined);
    child.on('error', (error) => {
      clearTimeout(timer);
      process.off('exit', kill);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve({ bytes: Buffer.concat(chunks), isTimeOver, code, signal });
    });
  });
}

/** Parses the answer of the process that read the plan; null if it is not valid. */
function parseAnswer(bytes: Buffer): ReadPlanAnswer | null {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isAnswer(value) ? value : null;
  } catch {
    return null;
  }
}

function isAnswer(value: unknown): value is ReadPlanAnswer {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    ('plan' in value || 'problems' in value)
  );
}
