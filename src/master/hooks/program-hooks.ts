/** The hooks of one program: runs them one after the other, and reports their results. Loaded only if a plan has hooks. */
import { describeOutcome } from '../../shared/describe-failure.ts';
import { formatDuration } from '../../shared/durations.ts';
import type { EventRecord, Failure, MasterEvent } from '../../shared/events.ts';
import { withoutOwnUnit } from '../launch/worker-environment.ts';
import type { HookName, HooksPlan } from '../config/options/hook-options.ts';
import { type HookResult, runCommand, type RunningHook } from './run-command.ts';
import { hooksOf, noMemory } from './hooks-of-event.ts';
import { createWorkQueue } from './work-queue.ts';

export interface ProgramHooksParts {
  readonly name: () => string;
  /** The plan of the program at the moment of the call. */
  readonly plan: () => {
    readonly hooks: HooksPlan | null;
    readonly cwd: string;
    readonly environment: Readonly<Record<string, string>>;
  };
  /** The environment of the master. */
  readonly environment: NodeJS.ProcessEnv;
  readonly tell: (event: MasterEvent) => void;
}

export interface ProgramHooks {
  /** Whether a hook other than pre_start runs or waits. */
  isBusy(): boolean;
  /** Runs the hooks for this event, after those that run already. */
  observe(event: EventRecord): void;
  /** Runs pre_start. Resolves to the failure of the start, or to null if the start may begin or was cancelled. */
  readonly beforeStart: (event: EventRecord) => {
    readonly failure: Promise<Failure | null>;
    readonly cancel: () => void;
  };
  /** Called at the end of the program: of the waiting hooks, only those about its end are still run. Resolves when the last one has ended. */
  done(): Promise<void>;
}

interface Waiting {
  readonly hook: HookName;
  readonly event: EventRecord;
}

/** The longest value of a variable, in bytes. The kernel allows 128 KiB (execve(2)), and the stderr of a worker may be longer. */
const longestVariableBytes = 100_000;

/** How many hooks may wait. A program that fails again and again must not fill the memory with them. */
const mostWaiting = 100;

export function createProgramHooks({ name, plan, environment, tell }: ProgramHooksParts): ProgramHooks {
  let memory = noMemory;

  function run(hook: HookName, command: string, timeoutMs: number, event: EventRecord): RunningHook {
    const { cwd, environment: own } = plan();
    const text = JSON.stringify(event);
    return runCommand({
      command,
      cwd,
      environment: {
        ...withoutOwnUnit(environment),
        ...own,
        GRACEFUL_RUN_HOOK: hook,
        GRACEFUL_RUN_PROGRAM: name(),
        GRACEFUL_RUN_EVENT: event.event,
        ...(Buffer.byteLength(text) > longestVariableBytes ? {} : { GRACEFUL_RUN_EVENT_JSON: text }),
      },
      input: `${text}\n`,
      timeoutMs,
    });
  }

  function report(hook: HookName, result: HookResult, timeoutMs: number): string | null {
    const problem = problemOf(result, timeoutMs);
    const { output, durationMs } = result;
    tell({ event: 'hookEnded', hook, problem, durationMs, output });
    return problem;
  }

  const queue = createWorkQueue<Waiting>({
    most: mostWaiting,
    work: async ({ hook, event }) => {
      const { hooks } = plan();
      const command = hooks?.commands[hook];
      // The plan may have changed while the hook waited.
      if (hooks === null || command === undefined) return;
      report(hook, await run(hook, command, hooks.timeoutMs, event).result, hooks.timeoutMs);
    },
    dropped: (count) => {
      tell({ event: 'hooksDropped', count });
    },
  });

  return {
    observe(event) {
      const found = hooksOf(memory, event);
      memory = found.memory;
      for (const hook of found.hooks) {
        if (plan().hooks?.commands[hook] !== undefined) queue.add({ hook, event });
      }
    },
    beforeStart(event) {
      const { hooks } = plan();
      const command = hooks?.commands.pre_start;
      if (hooks === null || command === undefined)
        return { failure: Promise.resolve(null), cancel: () => undefined };
      let isCancelled = false;
      const running = run('pre_start', command, hooks.timeoutMs, event);
      const failure = running.result.then((ended): Failure | null => {
        if (isCancelled) return null;
        const problem = report('pre_start', ended, hooks.timeoutMs);
        return problem === null ? null : failureOf(problem, ended);
      });
      return {
        failure,
        cancel: () => {
          isCancelled = true;
          running.kill();
        },
      };
    },
    isBusy: () => queue.isBusy(),
    async done() {
      queue.keepOnly(({ hook }) => isAboutEnd.has(hook));
      await queue.done();
    },
  };
}

const isAboutEnd: ReadonlySet<HookName> = new Set(['on_fatal', 'post_stop']);

/** Says what went wrong with a hook; null if nothing did. */
function problemOf({ outcome, isTimedOut, problem }: HookResult, timeoutMs: number): string | null {
  if (problem !== null) return problem;
  if (isTimedOut) return `it was killed after ${formatDuration(timeoutMs)}, its timeout`;
  return outcome === null || outcome.code === 0 ? null : `it ended with ${describeOutcome(outcome)}`;
}

function failureOf(problem: string, { outcome, output }: HookResult): Failure {
  return {
    reason: 'notStarted',
    message: `the hook pre_start failed: ${problem}`,
    hint: null,
    errorCode: 'hookFailed',
    outcome,
    stderrTail: output,
  };
}
