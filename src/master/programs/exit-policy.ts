/** Whether the end of a program ends its master, and with which exit code. Pure. */
import type { MasterEvent } from '../../shared/events.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { exitCodeAfter } from './exit-code-of-program.ts';

export interface ProgramEnd {
  readonly plan: Pick<ProgramPlan, 'restart'>;
  readonly stopped: Pick<Extract<MasterEvent, { event: 'stopped' }>, 'failure' | 'outcome'>;
  /** Whether the program is to run: no request has stopped it. */
  readonly isWanted: boolean;
}

export interface MasterState {
  /** Whether the master lives no longer than its only program. */
  readonly isOfOneProgram: boolean;
  readonly isStopping: boolean;
}

/** How the master ends. */
export interface MasterEnd {
  /** Whether other programs have to be stopped first. */
  readonly stopsOthers: boolean;
  /** The exit code that the end of the program asks for, or null if it asks for none. */
  readonly exitCode: number | null;
}

/** How the master ends because this program has stopped, or null if it lives on. */
export function masterEndAfter(
  { plan: { restart }, stopped: { failure, outcome }, isWanted }: ProgramEnd,
  { isOfOneProgram, isStopping }: MasterState,
): MasterEnd | null {
  const isByItself = failure !== null || outcome !== null;
  const exitCode = isWanted ? exitCodeAfter(failure, outcome, restart.onFatal) : null;
  if (isOfOneProgram) {
    // (A program that is only restarted is wanted, and has not ended by itself.)
    const staysUp = isWanted && (!isByItself || restart.onFatal === 'stay');
    return staysUp ? null : { stopsOthers: false, exitCode };
  }
  const isFatal = isWanted && failure !== null && restart.onFatal === 'exit';
  // Without a code, a master that has not finished its start would end as if it had been stopped by a request.
  return isFatal && !isStopping ? { stopsOthers: true, exitCode: exitCode ?? codeOfNone } : null;
}

/** The exit code if no worker has ended by itself: it was not ready in time, or could not be started. */
const codeOfNone = 1;
