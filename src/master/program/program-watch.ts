/** The watch over the files of one program: those that its plan names, or else the program's own file. It follows changes of the plan. */
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../shared/errors.ts';
import type { MasterEvent } from '../../shared/events.ts';
import { watchStableMs } from '../config/options/fixed-bounds.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { programFile } from '../launch/program-file.ts';
import type { Watch } from '../watch/start-watch.ts';

type WatchedPlan = Pick<ProgramPlan, 'watch' | 'command' | 'cwd'>;

export interface ProgramWatchParts {
  /** The latest plan of the program. */
  readonly plan: () => WatchedPlan;
  /** The environment in which the program's own file is looked up. */
  readonly environment: NodeJS.ProcessEnv;
  readonly tell: (event: Extract<MasterEvent, { event: 'watchStarted' | 'watchFailed' }>) => void;
  readonly onChange: (path: string) => void;
}

export interface ProgramWatch {
  /** Watches from now on. Does nothing if it watches already. Errors: `notWatchable`; then the next call tries again. */
  start(): Promise<void>;
  /** The plan was `before` until now. If it names other paths, these are watched instead. A problem is reported as an event. */
  planChanged(before: WatchedPlan): void;
  stop(): Promise<void>;
  /** Whether it is started and not stopped. */
  isStarted(): boolean;
}

export function createProgramWatch({ plan, environment, tell, onChange }: ProgramWatchParts): ProgramWatch {
  /** Whether files are to be watched. */
  let isWatching = false;
  let watch: Watch | null = null;
  /** Ends a watch that has not begun yet, because it still reads the files for the first time. */
  let looking = new AbortController();

  /** A watch that runs is closed once the new one has begun, so if that fails, it stays. */
  async function watchLatest(): Promise<void> {
    isWatching = true;
    looking.abort();
    const look = (looking = new AbortController());
    const { command, cwd, watch: watched } = plan();
    const paths =
      watched === null || watched.length > 0 ? watched : [programFile(command, { cwd, environment })];
    let next: Watch | null;
    try {
      next = paths === null ? null : await watchPaths(paths, look.signal);
      look.signal.throwIfAborted();
    } catch (error) {
      // The plan has changed in the meantime, and the next watch has ended this one.
      if (look !== looking) return;
      throw error;
    }
    // From here on, stop() ends it.
    looking = new AbortController();
    const before = watch;
    watch = next;
    await before?.close();
    if (paths !== null) tell({ event: 'watchStarted', paths });
  }

  async function watchPaths(paths: readonly string[], signal: AbortSignal): Promise<Watch> {
    // Loaded only if it is wanted: it also loads the hashes, 2 MB and more.
    const { startWatch } = await import('../watch/start-watch.ts');
    return startWatch({
      paths,
      stableMs: watchStableMs,
      signal,
      onChange,
      onProblem: (problem) => {
        tell({ event: 'watchFailed', problem });
      },
    });
  }

  async function watchAnew(): Promise<void> {
    try {
      await watchLatest();
    } catch (error) {
      tell({ event: 'watchFailed', problem: messageOf(error) });
    }
  }

  return {
    async start() {
      if (isWatching) return;
      try {
        await watchLatest();
      } catch (error) {
        // The next start tries again.
        isWatching = false;
        throw error;
      }
    },
    planChanged(before) {
      if (isWatching && !isDeepStrictEqual(watchedIn(plan()), watchedIn(before))) void watchAnew();
    },
    async stop() {
      // The first reading of the files may take long.
      looking.abort();
      isWatching = false;
      const ended = watch;
      watch = null;
      await ended?.close();
    },
    isStarted: () => isWatching,
  };
}

/** What decides which paths are watched: those that it names, or else the command and where that runs. */
function watchedIn({ watch, command, cwd }: WatchedPlan): unknown {
  return watch?.length === 0 ? { command, cwd } : watch;
}
