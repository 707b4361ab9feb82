/**
 * Which release each generation runs: working directory and program file, with symlinks resolved when the generation was
 * started. It must not know what is done with it.
 */
import { realpathSync, statSync } from 'node:fs';
import type { Release } from '../shared/facts.ts';
import { programFile } from './program/program-file.ts';

export interface Releases {
  /** A worker of this generation is about to be started: looks, for the first one, what it will run. */
  starting(generation: number): void;
  /** This generation serves: what comes next is compared with it. */
  serves(generation: number): void;
  /** Null for one that was not started, or long ago. */
  of(generation: number): Release | null;
}

interface Known {
  readonly release: Release;
  readonly identity: string;
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
    starting(generation) {
      if (known.has(generation)) return;
      const cwd = resolved(surroundings.cwd) ?? surroundings.cwd;
      const file = fileOf(command, surroundings);
      const identity = [cwd, file, file === null ? '' : versionOf(file)].join('\n');
      const before = serving === null ? undefined : known.get(serving);
      const changed = before === undefined ? null : before.identity !== identity;
      known.set(generation, { release: { cwd, file, changed }, identity });
      for (const old of known.keys())
        if (old <= generation - rememberedGenerations && old !== serving) known.delete(old);
    },
    serves(generation) {
      serving = generation;
    },
    of: (generation) => known.get(generation)?.release ?? null,
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
