/** The raw figures of a run: what is rendered, and what `--json` writes. */
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
  /** Null if it was not installed. */
  readonly version: string | null;
  readonly setup: string;
}

export interface Results {
  readonly machine: Machine;
  readonly isQuick: boolean;
  /** A remark about these figures, for example that they were put together by hand. */
  readonly note?: string;
  /** The comparison with other tools. */
  readonly turns: number;
  readonly workers: number;
  readonly tools: readonly ToolDescription[];
  readonly own: OwnResults;
  readonly peers: PeerResults;
  /** Many programs under one tool. */
  readonly programs?: ProgramsResults;
  /** The same number of programs, with more workers each. */
  readonly largerPrograms?: ProgramsResults;
  /** Servers in other languages. */
  readonly foreign?: readonly ForeignResult[];
  /** Log files. */
  readonly output?: OutputResults;
}

/** What is measured, without where and with what. */
export type Figures = Pick<Results, 'own' | 'peers' | 'programs' | 'largerPrograms' | 'foreign' | 'output'>;
