/** `gracefulctl scale`: asks for another number of workers. */
import { routes } from '../shared/control-api.ts';
import { readAnswer, scaled } from '../shared/schemas/answer-schemas.ts';
import { ask, promptMs } from './ask-master.ts';
import type { FoundMaster } from './find-master.ts';
import type { Achieved } from './report.ts';

/** Resolves when the master has taken the new number; workers are started or drained after that. */
export async function scale(master: FoundMaster, workers: number): Promise<Achieved> {
  const { body } = await ask(
    'scale',
    { path: master.path, method: 'POST', route: routes.scale, body: { workers }, timeoutMs: promptMs },
    [200],
  );
  const result = readAnswer(scaled, body);
  return { state: 'accepted', result, text: `workers wanted: ${result.workers}, ${changeOf(result)}` };
}

function changeOf({ workers, before }: { readonly workers: number; readonly before: number }): string {
  return workers === before ? 'as before' : `${before} before`;
}
