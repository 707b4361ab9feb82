/**
 * Remembers, beyond the end of the master, what operators want of its programs: a program that was stopped stays stopped. The small file contains only
 * what differs from `autostart`. It is replaced as a whole, so it is never half written. Loaded only if it is needed.
 */
import type { MasterEvent } from '../../shared/events.ts';
import { isTable, openStateFile } from './state-file.ts';

export interface Remembered {
  /** Whether the program is to be started with the master. */
  isWanted(program: string, autostart: boolean): boolean;
  /** Stores which programs are wanted. Never rejects: a problem is reported as an event. */
  keep(programs: readonly WantedProgram[]): Promise<void>;
  /** Removes the file. Never rejects: a file that stays is one of a master that was killed. */
  remove(): Promise<void>;
}

export interface WantedProgram {
  readonly name: string;
  readonly isWanted: boolean;
  readonly autostart: boolean;
}

const version = 1;

/** Opens the file. A missing file counts as empty. One that cannot be read, or is broken, is reported and then counts as empty. */
export async function openRemembered(
  file: string,
  publish: (event: MasterEvent) => void,
): Promise<Remembered> {
  const { content, write, written, remove } = await openStateFile(file, version, publish);
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
    remove,
  };
}

function wantedIn(content: Readonly<Record<string, unknown>> | null): ReadonlyMap<string, boolean> {
  const wanted = content?.['wanted'];
  const entries = Object.entries(isTable(wanted) ? wanted : {}).flatMap(([name, is]) =>
    typeof is === 'boolean' ? [[name, is] as const] : [],
  );
  return new Map(entries);
}
