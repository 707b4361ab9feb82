/** An operator's decision about a new generation that is to prove itself: to continue with it, or to go back. */
import type { Decided } from '../../../shared/control-api.ts';
import { GracefulRunError } from '../../../shared/errors.ts';
import type { Program } from '../lifecycle/state.ts';
import type { Runner } from '../runner.ts';

export type RolloutDecision = 'promote' | 'rollback';

/** Carries out the decision. Errors: `noRollout`. */
export function decideRollout(
  decision: RolloutDecision,
  name: string,
  runner: Pick<Runner, 'state' | 'dispatch'>,
): Decided {
  const generation = generationAfter(decision, runner.state());
  if (generation === null) {
    throw new GracefulRunError(
      'noRollout',
      `cannot ${decision === 'rollback' ? 'roll back' : decision} ${name}: ${reasonOf(runner.state())}`,
      { hint: `see gracefulctl status ${name}` },
    );
  }
  runner.dispatch({ type: decision === 'promote' ? 'promoteRequested' : 'rollbackRequested' });
  return { generation };
}

/** Says why there is nothing to decide. */
function reasonOf({ phase, pendingSince }: Program): string {
  if (phase === 'reloading') return 'its new workers do not serve yet';
  return pendingSince === null
    ? 'no reload is under way, and no generation is on probation'
    : 'its next reload has not begun yet';
}

/** The generation that serves after the decision; null if there is nothing to decide. */
function generationAfter(decision: RolloutDecision, program: Program): number | null {
  if (program.phase === 'probation')
    return decision === 'promote' ? program.current.number : program.previous.number;
  if (program.phase !== 'reloading') return null;
  if (decision === 'rollback') return program.current.number;
  return program.rollout.nextAt === null ? null : program.candidate.number;
}
