/** `gracefulctl scale`: requests another number of workers. */
import { programRoute } from '../../shared/control-api.ts';
import { readAnswer, scaled } from '../../shared/schemas/answer-schemas.ts';
import { ask, promptMs } from '../../shared/ask-master.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Achieved } from './command-report.ts';

/** Resolves when the master has taken the new number. Workers are started or drained after that. */
export async function scale({ master, status }: FoundProgram, workers: number): Promise<Achieved> {
  const route = programRoute(encodeURIComponent(status.program), 'scale');
  const request = { path: master.path, method: 'POST', route, body: { workers } } as const;
  const { body } = await ask('scale', { ...request, timeoutMs: promptMs }, [200]);
  const result = readAnswer(scaled, body);
  return { state: 'accepted', result, text: `workers wanted: ${result.workers} (${changeOf(result)})` };
}

function changeOf({ workers, before }: { readonly workers: number; readonly before: number }): string {
  return workers === before ? 'unchanged' : `before: ${before}`;
}
