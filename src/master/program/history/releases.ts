/**
 * Which release each generation runs: working directory and program file, with symlinks resolved when the generation was
 * started. It must not know what is done with it.
 */
import { realpathSync, statSync } from 'node:fs';
import type { Release } from '../../../shared/events.ts';
import { programFile } from '../../launch/program-file.ts';

export interface Releases {
  /** A worker is about to be started: looks what it will run. The first one of a generation decides which release that has. */
  starting(worker: { readonly generation: number; readonly slot: number }): void;
  /** This generation serves: what comes next is compared with it. */
  serves(generation: number): void;
  /** Null for one that was not started, or long ago. */
  of(generation: number): Release | null;
  /**
   * What the worker in this slot runs, if that is another release than its generation's: it has replaced a crashed worker after the
   * release was switched. Else null.
   */
  otherIn(generation: number, slot: number): Release | null;
}

interface Known {
  readonly release: Release;
  readonly identity: string;
  /** By slot. */
  readonly others: Map<number, Release>;
}

/** Generations that failed are of interest for as long as their failure is told. */
const rememberedGenerations = 16;

/** `environment` is where the command's executable is looked up. */
export function createReleases(
  command: readonly string[],
  surroundings: { readonly cwd: string; readonly environment: NodeJS.ProcessEnv },
): Releases {
  const known = new Map<number, Known>();
  let serving: number | null = null;

  return {
    starting({ generation, slot }) {
      const cwd = resolved(surroundings.cwd) ?? surroundings.cwd;
      const file = fileOf(command, surroundings);
      const identity = [cwd, file, file === null ? '' : versionOf(file)].join('\n');
      const own = known.get(generation);
      if (own !== undefined) {
        if (own.identity === identity) own.others.delete(slot);
        else own.others.set(slot, { cwd, file, changed: true });
        return;
      }
      const before = serving === null ? undefined : known.get(serving);
      const changed = before === undefined ? null : before.identity !== identity;
      known.set(generation, { release: { cwd, file, changed }, identity, others: new Map() });
      for (const old of known.keys())
        if (old <= generation - rememberedGenerations && old !== serving) known.delete(old);
    },
    serves(generation) {
      serving = generation;
    },
    of: (generation) => known.get(generation)?.release ?? null,
    otherIn: (generation, slot) => known.get(generation)?.others.get(slot) ?? null,
  };
}

/** The program's own file; null when it has none (`node -e`), or when it is not there, which the start itself will say. */
function fileOf(
  command: readonly string[],
  surroundings: { readonly cwd: string; readonly environment: NodeJS.ProcessEnv },
): string | null {
  try {
    return realpathSync(programFile(command, surroundings));
  } catch {
    return null;
  }
}

function resolved(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** Another text when the file was written or replaced. */
function versionOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}
