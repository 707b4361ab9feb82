/** The release that each generation runs: its working directory and program file, with the symlinks resolved at the start of the generation. */
import { realpathSync, statSync } from 'node:fs';
import { programFile } from '../../launch/program-file.ts';
import type { KnownRelease } from './known-releases.ts';

export interface Releases {
  /** Called when a worker is about to be started: notes what it will run. The first worker of a generation decides which release that generation has. */
  starting(
    worker: { readonly generation: number; readonly slot: number },
    /** The number of the generation that serves, with which a new one is compared; null if none does. */
    serving: number | null,
  ): void;
  /** The releases of the last generations that were started, including the one that serves. */
  known(): readonly KnownRelease[];
  /** Takes over the releases that the previous image of this process knew. */
  resume(before: readonly KnownRelease[]): void;
}

/** Generations that failed are kept only until their failure is reported. */
const rememberedGenerations = 16;

/** What a generation is started from. */
export interface ReleaseSource {
  readonly command: readonly string[];
  readonly cwd: string;
}

/** Makes an empty record of releases. `environment`: where the executable of a command is looked up. */
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
    resume(before) {
      known = before;
    },
  };
}

/** The program's own file. Null if it has none (`node -e`), or if the file does not exist, which the start itself will report. */
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

/** A text that changes when the file is written or replaced. */
function versionOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}
