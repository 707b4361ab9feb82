/** The raw figures of many programs under one tool. */
import type { Count } from '../count.ts';
import type { Outcome } from '../peers/rounds.ts';
import type { ToolDescription } from '../results.ts';

/** The figures for one number of programs. */
export interface SizeTurn {
  readonly programs: number;
  /** Milliseconds until every worker serves. */
  readonly startMs: number;
  /** The memory of the processes that are not workers, at rest. */
  readonly memoryBytes: number;
  readonly wakeUps: number;
}

/** A change of one program, by one of the tool's commands. */
export interface ChangeTurn {
  readonly command: string;
  /** Milliseconds from the start of the command until every port of the program has had a response of a new worker. */
  readonly ms: number;
  /** The number of workers of other programs that were replaced. */
  readonly others: number;
}

export interface ReloadTurn extends Count {
  /** Milliseconds until the last program has responded with a new worker. */
  readonly newMs: number;
  /** Milliseconds until the last old worker is gone. */
  readonly oldGoneMs: number;
}

export interface StopTurn {
  /** Milliseconds until the last process is gone; null if some never ended. */
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
