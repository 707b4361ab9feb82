/** The raw figures of many programs under one tool. */
import type { Count } from '../measures/failed.ts';
import type { Outcome } from '../peers/rounds.ts';
import type { ToolDescription } from '../results.ts';

/** One number of programs. */
export interface SizeTurn {
  readonly programs: number;
  /** Until every worker serves. */
  readonly startMs: number;
  /** Of the processes that are not workers, at rest. */
  readonly memoryBytes: number;
  readonly wakeUps: number;
}

/** A change of one program, by one of the tool's commands. */
export interface ChangeTurn {
  readonly command: string;
  /** From the start of the command to the first response of a new worker. */
  readonly ms: number;
  /** The workers of other programs that were replaced. */
  readonly others: number;
}

export interface ReloadTurn extends Count {
  /** Until the last program has responded with a new worker. */
  readonly newMs: number;
  /** Until the last old worker is gone. */
  readonly oldGoneMs: number;
}

export interface StopTurn {
  /** Until the last process is gone; null if some never went. */
  readonly ms: number | null;
  readonly processes: number;
  readonly sockets: number;
  readonly files: number;
}

export interface ProgramsTurn {
  readonly sizes: readonly SizeTurn[];
  readonly statusMs: number;
  readonly changes: readonly ChangeTurn[];
  readonly reload: ReloadTurn;
  readonly stop: StopTurn;
}

export interface ProgramsResults {
  readonly programs: number;
  readonly workers: number;
  readonly idleMs: number;
  readonly tools: readonly ToolDescription[];
  readonly outcomes: readonly Outcome<ProgramsTurn>[];
}
