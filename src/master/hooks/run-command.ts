/** Runs the command of a hook: with its event on stdin, in a process group of its own, for a limited time. */
import { messageOf } from '../../shared/errors.ts';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import type { Outcome } from '../../shared/events.ts';
import { type StartedWithOutput, startWithOutput, watchClosing } from '../process/start-with-output.ts';
import { sendSignal } from '../process/send-signal.ts';

export interface HookCommand {
  /** The command, which /bin/sh runs. */
  readonly command: string;
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The text that the command gets on stdin. */
  readonly input: string;
  readonly timeoutMs: number;
}

export interface HookResult {
  /** How the command ended, or null if it could not be started. */
  readonly outcome: Outcome | null;
  readonly isTimedOut: boolean;
  /** Why the command could not be started, or null if it was. */
  readonly problem: string | null;
  /** The last lines that it wrote to stdout and stderr, oldest first. */
  readonly output: readonly string[];
  readonly durationMs: number;
}

export interface RunningHook {
  /** Resolves when the command has ended. Never rejects. */
  readonly result: Promise<HookResult>;
  /** Kills the command with everything in its process group. */
  kill(): void;
}

const mostLines = 20;
const mostCharacters = 500;
/** How long to wait for the rest of the output: processes that the command has started in the background may keep it open. */
const lastWordsMs = 100;

export function runCommand({ command, cwd, environment, input, timeoutMs }: HookCommand): RunningHook {
  const startedAt = performance.now();
  const output: string[] = [];
  let isTimedOut = false;
  let started: StartedWithOutput;
  try {
    started = startWithOutput({
      file: '/bin/sh',
      args: ['-c', command],
      cwd,
      environment,
      stdin: 'pipe',
      stdout: 'read',
      uid: null,
    });
  } catch (error) {
    const ended = { outcome: null, isTimedOut, problem: messageOf(error), output, durationMs: 0 };
    return { result: Promise.resolve(ended), kill: () => undefined };
  }
  const { child } = started;
  const streams = Object.values(started.streams).filter((stream) => stream !== null);
  const whenClosed = watchClosing([child, ...streams]);

  const kill = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      sendSignal(-child.pid, 'SIGKILL');
  };

  const add = (line: string): void => {
    output.push(line);
    if (output.length > mostLines) output.shift();
  };

  const splitters = streams.map((stream) => {
    const splitter = createLineSplitter(mostCharacters);
    stream.setEncoding('utf8').on('data', (text: string) => {
      splitter.add(text).forEach(add);
    });
    stream.on('error', () => undefined);
    return splitter;
  });
  // The command may end without reading its stdin.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);

  const result = new Promise<HookResult>((resolve) => {
    const timer = setTimeout(() => {
      isTimedOut = true;
      kill();
    }, timeoutMs);
    const end = (outcome: Outcome | null, problem: string | null): void => {
      clearTimeout(timer);
      for (const splitter of splitters) if (splitter.rest() !== '') add(splitter.rest());
      for (const stream of streams) stream.destroy();
      child.stdin?.destroy();
      const durationMs = Math.round(performance.now() - startedAt);
      resolve({ outcome, isTimedOut, problem, output, durationMs });
    };
    child.once('error', (error) => {
      end(null, error.message);
    });
    child.once('exit', (code, signal) => {
      const waiting = setTimeout(() => {
        end({ code, signal }, null);
      }, lastWordsMs);
      whenClosed(() => {
        clearTimeout(waiting);
        end({ code, signal }, null);
      });
    });
  });
  return { result, kill };
}
