/**
 * Which release each generation runs: working directory and program file, with symlinks resolved when the generation was
 * started.
 */
import { realpathSync, statSync } from 'node:fs';
import type { Release } from '../../../shared/events.ts';
import { programFile } from '../../launch/program-file.ts';

export interface Releases {
  /** A worker is about to be started: looks what it will run. The first one of a generation decides which release that has. */
  starting(
    worker: { readonly generation: number; readonly slot: number },
    /** The generation that serves, with which a new one is compared; null: none does. */
    serving: number | null,
  ): void;
  /** Of the last generations that were started, the one that serves among them. */
  known(): readonly KnownRelease[];
}

/** What one generation runs. Plain data. */
export interface KnownRelease {
  readonly generation: number;
  readonly release: Release;
  /** Tells two versions of one program file apart. */
  readonly identity: string;
  /** Workers that run another release than their generation's. */
  readonly others: readonly { readonly slot: number; readonly release: Release }[];
}

/** Generations that failed are kept only until their failure is reported. */
const rememberedGenerations = 16;

/** What a generation is started from. */
export interface ReleaseSource {
  readonly command: readonly string[];
  readonly cwd: string;
}

/** `environment` is where the command's executable is looked up. */
export function createReleases(
  sourceOf: (generation: number) => ReleaseSource,
  environment: NodeJS.ProcessEnv,
): Releases {
  let known: readonly KnownRelease[] = [];
  const find = (wanted: number | null): KnownRelease | undefined =>
    known.find(({ generation }) => generation === wanted);

  return {
    starting({ generation, slot }, serving) {
      const source = sourceOf(generation);
      const cwd = resolved(source.cwd) ?? source.cwd;
      const file = fileOf(source.command, { cwd: source.cwd, environment });
      const identity = [cwd, file, file === null ? '' : versionOf(file)].join('\n');
      const own = find(generation);
      if (own !== undefined) {
        const others = own.others.filter((other) => other.slot !== slot);
        const other = own.identity === identity ? [] : [{ slot, release: { cwd, file, changed: true } }];
        known = known.map((one) => (one === own ? { ...own, others: [...others, ...other] } : one));
        return;
      }
      const before = find(serving);
      const changed = before === undefined ? null : before.identity !== identity;
      const kept = known.filter(
        (old) => old.generation > generation - rememberedGenerations || old === before,
      );
      known = [...kept, { generation, release: { cwd, file, changed }, identity, others: [] }];
    },
    known: () => known,
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

/** The release that a generation runs; null for a generation that was not started, or long ago. */
export function releaseOf(known: readonly KnownRelease[], generation: number): Release | null {
  return known.find((one) => one.generation === generation)?.release ?? null;
}

/**
 * What the worker in this slot runs, if that is another release than its generation's: it replaced a crashed worker after the
 * release was switched. Else null.
 */
export function otherReleaseIn(
  known: readonly KnownRelease[],
  generation: number,
  slot: number,
): Release | null {
  const others = known.find((one) => one.generation === generation)?.others ?? [];
  return others.find((other) => other.slot === slot)?.release ?? null;
}
