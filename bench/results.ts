/** The raw figures of a run, as they are rendered, and as `--json` writes them. */
import type { ForeignResult } from './foreign/measure.ts';
import type { PeerResults } from './measures/index.ts';
import type { OutputResults } from './output/measure.ts';
import type { OwnResults } from './own/results.ts';
import type { ProgramsResults } from './programs/results.ts';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly kernel: string;
  readonly node: string;
  readonly date: string;
}

/** A tool of the comparison, as configured in the run. */
export interface ToolDescription {
  readonly name: string;
  /** The version of the tool; null if it was not installed. */
  readonly version: string | null;
  readonly setup: string;
}

export interface Results {
  readonly machine: Machine;
  readonly isQuick: boolean;
  /** A remark about these figures, for example that they were combined by hand. */
  readonly note?: string;
  /** The comparison with other tools. */
  readonly turns: number;
  readonly workers: number;
  readonly tools: readonly ToolDescription[];
  readonly own: OwnResults;
  readonly peers: PeerResults;
  /** The results of many programs under one tool. */
  readonly programs?: ProgramsResults;
  /** The results of the same number of programs, with more workers each. */
  readonly largerPrograms?: ProgramsResults;
  /** The results of servers in other languages. */
  readonly foreign?: readonly ForeignResult[];
  /** The results of writing log files. */
  readonly output?: OutputResults;
}

/** The figures without the machine and the tools. */
export type Figures = Pick<Results, 'own' | 'peers' | 'programs' | 'largerPrograms' | 'foreign' | 'output'>;
