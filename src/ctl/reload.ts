/** `gracefulctl reload`: asks for a reload and, with --wait, tells how it ended. */
import { type ReloadResult, type ReloadWait, routes } from '../shared/control-api.ts';
import { reasonOf } from '../shared/describe-failure.ts';
import { describeRelease, servesOn } from '../shared/describe-release.ts';
import { printable } from '../shared/printable.ts';
import { formatDuration } from '../shared/durations.ts';
import { readAnswer, reloadAccepted, reloadResult } from '../shared/schemas/answer-schemas.ts';
import { ask, promptMs } from './ask-master.ts';
import type { FoundMaster } from './find-master.ts';
import { ReloadFailure } from './reload-failure.ts';
import type { Achieved } from './report.ts';

const action = 'reload';

/** Resolves when the master accepts the request or, with `wait`, when the reload has reached that state. @throws GracefulRunError reloadFailed. */
export async function reload(master: FoundMaster, wait: ReloadWait | null): Promise<Achieved> {
  const body = { wait: wait ?? false };
  const request = { path: master.path, method: 'POST', route: routes.reload, body } as const;
  if (wait === null) {
    const answer = await ask(action, { ...request, timeoutMs: promptMs }, [202]);
    const result = readAnswer(reloadAccepted, answer.body);
    return {
      state: 'accepted',
      result,
      text: `reload requested: it starts generation ${result.generation} (--wait waits for it, gracefulctl events follows it)`,
    };
  }
  const answer = await ask(action, request, [200, 409]);
  const result = readAnswer(reloadResult, answer.body);
  if (!result.ok) throw failed(result);
  return { state: wait, result, text: textOf[wait](result) };
}

const textOf: Readonly<Record<ReloadWait, (result: ReloadResult) => string>> = {
  serving: (result) =>
    `${serves(result)}${
      result.probationMs === 0
        ? ''
        : `, on probation for ${formatDuration(result.probationMs)} (--wait=settled waits for the verdict)`
    }`,
  settled: (result) => `${serves(result)}, and its probation is over`,
  drained: (result) => `${serves(result)}; no old worker is left`,
};

function serves({ generation, durationMs, release }: ReloadResult): string {
  const what = release === null ? '' : ` (${printable(describeRelease(release))})`;
  return `generation ${generation} serves${what}, ready after ${formatDuration(durationMs)}`;
}

function failed(result: ReloadResult): ReloadFailure {
  const { failure, rolledBackTo, serving } = result;
  const reason = failure === null ? 'it was given up' : printable(reasonOf(failure));
  const what =
    rolledBackTo === null
      ? `failed${servesOn(serving)}`
      : `failed on probation, and generation ${rolledBackTo} serves again`;
  return new ReloadFailure(`cannot reload: generation ${result.generation} ${what}: ${reason}`, result);
}
