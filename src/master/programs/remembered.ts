/**
 * What operators want of the programs of one master, kept in a small file over the end of the master: a program that was stopped stays stopped. Only
 * what differs from `autostart` is kept. The file is replaced as a whole, so it is never half written. Loaded only if it is wanted.
 */
import type { MasterEvent } from '../../shared/events.ts';
import { isTable, openStateFile } from './state-file.ts';

export interface Remembered {
  /** Whether the program is to be started with the master. */
  isWanted(program: string, autostart: boolean): boolean;
  /** Stores which programs are wanted now. Never rejects: a problem is reported as an event. */
  keep(programs: readonly WantedProgram[]): Promise<void>;
}

export interface WantedProgram {
  readonly name: string;
  readonly isWanted: boolean;
  readonly autostart: boolean;
}

const version = 1;

/** A file that is missing is empty, and one that cannot be read, or is broken, is reported and then counts as empty. */
export async function openRemembered(
  file: string,
  publish: (event: MasterEvent) => void,
): Promise<Remembered> {
  const { content, write, written } = await openStateFile(file, version, publish);
  let known = wantedIn(content);

  return {
    isWanted: (program, autostart) => known.get(program) ?? autostart,
    async keep(programs) {
      const next = new Map(
        programs.flatMap(({ name, isWanted, autostart }) =>
          isWanted === autostart ? [] : [[name, isWanted] as const],
        ),
      );
      const isSame = next.size === known.size && [...next].every(([name, is]) => known.get(name) === is);
      known = next;
      return isSame ? written() : write({ wanted: Object.fromEntries(known) });
    },
  };
}

function wantedIn(content: Readonly<Record<string, unknown>> | null): ReadonlyMap<string, boolean> {
  const wanted = content?.['wanted'];
  const entries = Object.entries(isTable(wanted) ? wanted : {}).flatMap(([name, is]) =>
    typeof is === 'boolean' ? [[name, is] as const] : [],
  );
  return new Map(entries);
}
