/** `gracefulctl start`, `reload` and `restart`: request a new generation and, with --wait, report the result. */
import {
  programRoute,
  type ReloadAccepted,
  type ReloadResult,
  type ReloadWait,
  type Status,
} from '../../shared/control-api.ts';
import { describeFailure, reasonOf } from '../../shared/describe-failure.ts';
import { describeRelease, except, servesOn } from '../../shared/describe-release.ts';
import { formatDuration } from '../../shared/durations.ts';
import { printable } from '../../shared/printable.ts';
import { readAnswer, reloadAccepted, reloadResult } from '../../shared/schemas/answer-schemas.ts';
import { ask, promptMs } from '../../shared/ask-master.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import { isServed } from '../show/status-view.ts';
import { OperationFailure } from '../operation-failure.ts';
import type { Achieved } from './command-report.ts';

export type GenerationAction = 'start' | 'reload' | 'restart';

/**
 * Resolves when the master has accepted the request or, with `wait`, when the new generation has reached that state. @throws GracefulRunError
 * reloadFailed, programStopped.
 */
export async function startGeneration(
  action: GenerationAction,
  { master, status }: FoundProgram,
  wait: ReloadWait | null,
): Promise<Achieved> {
  const route = programRoute(encodeURIComponent(status.program), action);
  const request = { path: master.path, method: 'POST', route, body: { wait: wait ?? false } } as const;
  if (action === 'reload' && status.schedule !== null) {
    const result = readAnswer(reloadAccepted, (await ask(action, request, [200, 202])).body);
    return {
      state: wait ?? 'accepted',
      result,
      text: 'runs by its schedule: the changes apply to its next run',
    };
  }
  if (wait === null) {
    const answer = await ask(action, { ...request, timeoutMs: promptMs }, [202]);
    const result = readAnswer(reloadAccepted, answer.body);
    if (action === 'start' && isServed(status)) return runsAlready(result, status);
    return {
      state: 'accepted',
      result,
      text: `${action} requested: generation ${result.generation} starts (to wait for it, add --wait)`,
    };
  }
  const answer = await ask(action, request, [200, 409]);
  const result = readAnswer(reloadResult, answer.body);
  if (!result.ok) throw failed(action, result, status);
  if (status.schedule !== null) return { state: wait, result, text: 'the run has succeeded' };
  if (status.type === 'oneshot') return { state: wait, result, text: oneshotText(action, result, status) };
  if (action === 'start' && isServed(status)) return runsAlready(result, status, wait);
  return { state: wait, result, text: textOf[wait](result) };
}

/** A start has waited for the end of a oneshot, unless that was running already. */
function oneshotText(
  action: GenerationAction,
  { generation }: ReloadResult,
  { workers }: Pick<Status, 'workers'>,
): string {
  if (workers.length === 0 || action === 'restart') return `generation ${generation} has ended with success`;
  return action === 'start'
    ? `already running: generation ${generation} runs`
    : `generation ${generation} runs`;
}

function runsAlready(
  result: ReloadResult | ReloadAccepted,
  { generation }: Status,
  state: Achieved['state'] = 'accepted',
): Achieved {
  return { state, result, text: `already running: generation ${generation ?? result.generation} serves` };
}

const textOf: Readonly<Record<ReloadWait, (result: ReloadResult) => string>> = {
  serving: (result) =>
    `${serves(result)}${
      result.probationMs === 0
        ? ''
        : `, on probation for ${formatDuration(result.probationMs)} (to wait until it is over: --wait=settled)`
    }`,
  settled: (result) => `${serves(result)}, and its probation is over`,
  drained: (result) => `${serves(result)}; no old worker is left`,
};

function serves({ generation, durationMs, release }: ReloadResult): string {
  const what = release === null ? '' : ` (${printable(describeRelease(release))})`;
  return `generation ${generation} serves${what}, ready after ${formatDuration(durationMs)}`;
}

function failed(
  action: GenerationAction,
  result: ReloadResult,
  { schedule }: Pick<Status, 'schedule'>,
): OperationFailure {
  const { failure, rolledBackTo, serving, remaining } = result;
  const reason =
    failure === null
      ? schedule === null
        ? 'it was given up'
        : 'the run was stopped'
      : printable(reasonOf(failure));
  const what =
    rolledBackTo === null
      ? `failed${servesOn(serving)}`
      : `failed after it began to serve, and generation ${rolledBackTo} serves again${except(remaining)}`;
  return new OperationFailure(
    'reloadFailed',
    `cannot ${action}: ${result.generation === 0 ? 'no worker was started' : `generation ${result.generation} ${what}`}: ${reason}`,
    { result, details: (paint) => (failure === null ? [] : describeFailure(failure, paint)) },
  );
}
