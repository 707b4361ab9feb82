/** The options that say how a program is stopped if not as at a reload: the signals that its workers are sent, and the pauses between them. Pure. */
import { parseDuration } from '../../../shared/durations.ts';
import { drainSignalNames, type SignalName } from '../../launch/program-drain-signal.ts';
import { defaults } from './defaults.ts';

/** The stop options in code. */
export interface StopOptions {
  /**
   * The signals that workers are sent at a stop, in this order, each with how long graceful-run waits for their exit before the next one:
   * `TERM 10s, INT 5s, KILL`. One without a time has `stopwaitsecs`. SIGKILL comes last, whether it is named or not. Default: they drain as at a
   * reload.
   */
  readonly stopSignal?: string;
  /** How long a worker may take to exit at a stop before it is killed, 0s to 24h. Default: as at a reload: `drainTimeout`, then SIGTERM and 2 s. */
  readonly stopwaitsecs?: string;
  /** Send the signals of a stop to the whole process group of a worker, and not only to the process that serves. Default false. */
  readonly stopasgroup?: boolean;
}

export interface StopStep {
  /** The signal to send, or null for the one that tells a worker to drain. */
  readonly signal: `SIG${SignalName}` | null;
  /** How long the worker may take to exit after the signal. */
  readonly waitMs: number;
}

/** How a program is stopped, in a plan. */
export interface StopPlan {
  /** The steps before SIGKILL, or null: then workers are stopped as at a reload. */
  readonly steps: readonly StopStep[] | null;
  readonly isForGroup: boolean;
  /** The value of `stopwaitsecs`, for steps without a time of their own; null if it is not set. */
  readonly defaultWaitMs: number | null;
}

/** How a program is stopped that sets none of these options. */
export const plainStop: StopPlan = Object.freeze({
  steps: null,
  isForGroup: defaults.stopasgroup,
  defaultWaitMs: null,
});

export const stopSignals: readonly (SignalName | 'KILL')[] = [...drainSignalNames, 'KILL'];

export interface WrittenStep {
  readonly signal: `SIG${SignalName}` | 'SIGKILL';
  /** The time that is written after the signal, or null if there is none. */
  readonly waitMs: number | null;
}

/** Parses the signals of a stop; null if the text is not valid. */
export function parseSteps(written: string): readonly WrittenStep[] | null {
  const steps: WrittenStep[] = [];
  for (const item of written.split(',')) {
    const [, name = '', wait] = /^\s*(?:SIG)?([A-Z0-9]+)(?:\s+(\S+))?\s*$/.exec(item) ?? [];
    const known = stopSignals.find((one) => one === name);
    const waitMs = wait === undefined ? null : parseDuration(wait);
    const isWrong =
      known === undefined || (wait !== undefined && (waitMs === null || waitMs > longestWaitMs));
    // Nothing can follow SIGKILL, and it has no time to wait for.
    if (isWrong || steps.at(-1)?.signal === 'SIGKILL' || (known === 'KILL' && wait !== undefined))
      return null;
    steps.push({ signal: `SIG${known}`, waitMs });
  }
  return steps;
}

const longestWaitMs = 86_400_000;

/** The pattern of one signal with its time, for the JSON Schema. */
const step = `(?:SIG)?(?:${drainSignalNames.join('|')})(?:\\s+\\d+(?:\\.\\d+)?(?:ms|s|m|h))?`;
export const stopPattern: string = `\\s*(?:${step}(?:\\s*,\\s*${step})*(?:\\s*,\\s*(?:SIG)?KILL)?|(?:SIG)?KILL)\\s*`;

type Written = { readonly [Name in keyof StopOptions]?: StopOptions[Name] | undefined };

/** Compiles the stop options. `written` was checked by `stopValues` (stop-values.ts). */
export function compileStop(
  { stopSignal, stopwaitsecs, stopasgroup }: Written,
  drainTimeoutMs: number,
): StopPlan {
  if (stopSignal === undefined && stopwaitsecs === undefined && stopasgroup === undefined) return plainStop;
  const waitMs = stopwaitsecs === undefined ? null : parseDuration(stopwaitsecs);
  return Object.freeze({
    steps: stepsOf(stopSignal === undefined ? null : parseSteps(stopSignal), waitMs, drainTimeoutMs),
    isForGroup: stopasgroup ?? defaults.stopasgroup,
    defaultWaitMs: waitMs,
  });
}

function stepsOf(
  written: readonly WrittenStep[] | null,
  waitMs: number | null,
  drainTimeoutMs: number,
): readonly StopStep[] | null {
  if (written === null) return waitMs === null ? null : [Object.freeze({ signal: null, waitMs })];
  return Object.freeze(
    written.flatMap(({ signal, waitMs: own }) =>
      signal === 'SIGKILL' ? [] : [Object.freeze({ signal, waitMs: own ?? waitMs ?? drainTimeoutMs })],
    ),
  );
}
