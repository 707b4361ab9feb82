/**
 * Remembers in a small file when the master has last looked for runs of each program, so that the next master finds out which runs were missed. Only for
 * programs with `if_missed = "run"`.
 */
import type { MasterEvent } from '../../../shared/events.ts';
import { isTable, openStateFile } from '../state-file.ts';

export interface SeenRuns {
  /** When the master last looked for runs of the program, in ms since 1970; null if that is not known. */
  of(program: string): number | null;
  note(program: string, at: number): void;
  forget(program: string): void;
  /** Resolves when all times are written. */
  written(): Promise<void>;
}

const version = 1;

export async function openSeenRuns(file: string, publish: (event: MasterEvent) => void): Promise<SeenRuns> {
  const { content, write, written } = await openStateFile(file, version, publish);
  const seen = new Map(timesIn(content?.['seen']));

  function save(): void {
    void write({ seen: Object.fromEntries(seen) });
  }

  return {
    of: (program) => seen.get(program) ?? null,
    note(program, at) {
      seen.set(program, at);
      save();
    },
    forget(program) {
      if (seen.delete(program)) save();
    },
    written,
  };
}

function timesIn(value: unknown): readonly (readonly [string, number])[] {
  return Object.entries(isTable(value) ? value : {}).flatMap(([name, at]) =>
    typeof at === 'number' && at >= 0 ? [[name, at] as const] : [],
  );
}
