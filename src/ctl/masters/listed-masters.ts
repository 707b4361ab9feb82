/** What the masters that were found have answered. Pure. */
import type { ProgramList } from '../../shared/control-api.ts';
import type { GracefulRunError } from '../../shared/errors.ts';
import type { FoundMaster } from './find-masters.ts';

export type ListedMaster = AnsweringMaster | SilentMaster;

export interface AnsweringMaster extends FoundMaster, ProgramList {
  /** The status of each program as the master sent it, including fields that this version does not know. */
  readonly raw: readonly Readonly<Record<string, unknown>>[];
}

/** A master that runs, but gives no answer, or none that can be understood. */
export interface SilentMaster extends FoundMaster {
  readonly error: GracefulRunError;
}

export function isAnswering(master: ListedMaster): master is AnsweringMaster {
  return 'programs' in master;
}
