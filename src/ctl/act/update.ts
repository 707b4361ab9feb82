/** `gracefulctl update`: makes a master read its config file again and, without --dry-run, apply it. */
import { routes, type UpdateResult } from '../../shared/control-api.ts';
import type { ControlAnswer, ControlRequest } from '../../shared/control-client.ts';
import { count } from '../../shared/count-words.ts';
import { describeProblemAndHint } from '../../shared/describe-problem.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { readAnswer, updateResult } from '../../shared/schemas/answer-schemas.ts';
import { ask } from '../../shared/ask-master.ts';
import type { AnsweringMaster } from '../masters/listed-masters.ts';
import { describeUpdate } from '../show/describe-update.ts';
import type { Styles } from '../show/status-view.ts';
import { OperationFailure } from '../operation-failure.ts';
import type { Achieved } from './command-report.ts';

/** Resolves when every program is as the new plan wants it. @throws GracefulRunError planInvalid, reloadFailed. */
export async function update(master: AnsweringMaster, dryRun: boolean, styles: Styles): Promise<Achieved> {
  const request = { path: master.path, method: 'POST', route: routes.update, body: { dryRun } } as const;
  const result = readAnswer(updateResult, (await askForPlan(master, request)).body);
  const failed = result.programs.filter(({ problem }) => problem !== null).length;
  if (failed > 0) throw failure(result, failed);
  return { state: dryRun ? 'planned' : 'applied', result, text: describeUpdate(result, styles).join('\n') };
}

/** Requests the update. The master's message names what it could not read; for a person it is completed by the fact that nothing was changed. */
async function askForPlan(master: AnsweringMaster, request: ControlRequest): Promise<ControlAnswer> {
  try {
    return await ask('update', request, [200, 409]);
  } catch (error) {
    if (!(error instanceof GracefulRunError) || error.code !== 'planInvalid') throw error;
    const { problems } = error;
    const file = master.master.file ?? 'the config file';
    throw new OperationFailure(
      'planInvalid',
      `cannot update: ${file} has ${count(problems.length, 'problem')}; nothing was changed`,
      { problems, details: () => problems.map((problem) => describeProblemAndHint(problem)) },
    );
  }
}

function failure(result: UpdateResult, failed: number): OperationFailure {
  const all = result.programs.length;
  return new OperationFailure('reloadFailed', `cannot update: ${failed} of ${count(all, 'program')} failed`, {
    result,
    done: (paint) => describeUpdate(result, paint),
  });
}
