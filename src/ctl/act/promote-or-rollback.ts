/** `gracefulctl promote` and `rollback`: an operator's decision about a new generation that has to prove itself. */
import { programRoute } from '../../shared/control-api.ts';
import { ask, promptMs } from '../../shared/ask-master.ts';
import { decided, readAnswer } from '../../shared/schemas/answer-schemas.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Achieved } from './command-report.ts';

/** Resolves when the master has done it. Workers are started or drained after that. @throws GracefulRunError noRollout, programStopped. */
export async function promoteOrRollBack(
  decision: 'promote' | 'rollback',
  { master, status }: FoundProgram,
): Promise<Achieved> {
  const route = programRoute(encodeURIComponent(status.program), decision);
  const request = { path: master.path, method: 'POST', route, body: {} } as const;
  const { body } = await ask(decision, { ...request, timeoutMs: promptMs }, [200]);
  const result = readAnswer(decided, body);
  const text = { promote: 'continues with', rollback: 'goes back to' }[decision];
  return { state: 'accepted', result, text: `${text} generation ${result.generation}` };
}
