/** `gracefulctl reload`: asks for a reload and, with --wait, tells how it ended. */
import { type ReloadResult, routes } from '../shared/control-api.ts';
import { describeFailure, printable } from '../shared/describe.ts';
import { formatDuration } from '../shared/durations.ts';
import { GracefulRunError } from '../shared/errors.ts';
import { readAnswer, reloadAccepted, reloadResult } from './answers.ts';
import { ask, promptMs } from './ask-master.ts';
import type { FoundMaster } from './find-master.ts';
import type { Terminal } from './terminal.ts';

const action = 'reload';

/** Resolves when the reload is accepted or, with `wait`, when the new generation serves. @throws GracefulRunError reloadFailed. */
export async function reload(
  master: FoundMaster,
  options: { readonly wait: boolean },
  terminal: Terminal,
): Promise<void> {
  const request = { path: master.path, method: 'POST', route: routes.reload, body: options } as const;
  if (!options.wait) {
    const { body } = await ask(action, { ...request, timeoutMs: promptMs }, [202]);
    const { generation } = readAnswer(reloadAccepted, body);
    terminal.out(`reload accepted: generation ${generation} will answer it\n`);
    return;
  }
  const { body } = await ask(action, request, [200, 409]);
  const result = readAnswer(reloadResult, body);
  if (!result.ok) throw failed(result);
  terminal.out(`generation ${result.generation} serves, ready after ${formatDuration(result.durationMs)}\n`);
}

function failed(result: ReloadResult): ReloadFailure {
  const { failure } = result;
  const reason = failure === null ? 'it was given up' : printable(failure.message);
  return new ReloadFailure(
    `cannot reload: generation ${result.generation} failed: ${reason}`,
    failure === null ? [] : describeFailure(failure),
  );
}

/** A reload that failed, with the lines that say more: how the worker ended, what to do, its last words. */
export class ReloadFailure extends GracefulRunError {
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[]) {
    super('reloadFailed', message);
    this.details = details;
  }
}
