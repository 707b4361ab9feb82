/**
 * Watches files and directories, and reports when their content has changed and is stable. It owns the timer and the order of scans. What counts as a
 * change (fingerprint.ts) and when to look (debounce.ts) is decided elsewhere.
 *
 * While nothing happens, it does nothing: no timer, no polling.
 */
import { resolve } from 'node:path';
import { GracefulRunError } from '../../shared/errors.ts';
import { DirectoryWatchers } from './directory-watchers.ts';
import { type Content, judge } from './fingerprint.ts';
import { Hashes } from './content-hashes.ts';
import { missingProblem } from './watch-problems.ts';
import { scan, type Scan } from './scan.ts';
import { debounce, type DebounceInput, type DebounceState } from './debounce.ts';

export interface WatchOptions {
  /** Files and directories. Symlinks in their paths are followed again each time. Relative paths start at the working directory. */
  readonly paths: readonly string[];
  /** How long a change must have been stable before it counts, in ms. Values from 50 to 2000 are sensible. */
  readonly stableMs: number;
  /** If it aborts, that has the effect of close(); before the watch has begun, `startWatch` rejects. */
  readonly signal?: AbortSignal;
  /** Called once for a change, with the path of the first file that changed, or with the watched path if that leads elsewhere. */
  onChange(path: string): void;
  /** Called once for a problem that lasts. Watching continues. */
  onProblem(problem: string): void;
}

export interface Watch {
  /** Stops watching; no callback runs after the call. Resolves when nothing is open any more. A second call does the same. */
  close(): Promise<void>;
}

/**
 * Resolves when every path is being watched: changes from then on, compared with the content of that moment, are reported. Rejects with `notWatchable` if
 * a path does not exist or cannot be read, and with the reason of the signal if that has aborted.
 */
export async function startWatch(options: WatchOptions): Promise<Watch> {
  const watcher = new Watcher(options);
  try {
    await watcher.start();
  } catch (error) {
    await watcher.close();
    throw error;
  }
  return { close: () => watcher.close() };
}

class Watcher {
  readonly #options: WatchOptions;
  readonly #paths: readonly string[];
  readonly #directories: DirectoryWatchers;
  readonly #hashes = new Hashes();
  readonly #baselines = new Map<string, Content>();
  #problems: ReadonlySet<string> = new Set();
  #state: DebounceState = 'scanning';
  #scanned: readonly Scan[] = [];
  #scanning: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#paths = options.paths.map((path) => resolve(path));
    this.#directories = new DirectoryWatchers(() => {
      this.#step('hinted');
    });
  }

  async start(): Promise<void> {
    this.#options.signal?.addEventListener('abort', () => {
      void this.close();
    });
    await this.#scanAll();
    this.#options.signal?.throwIfAborted();
    for (const [index, path] of this.#paths.entries()) {
      const found = this.#scanned[index];
      if (found?.fingerprint.kind !== 'content') throw notWatchable(path, found?.problems ?? new Set());
      this.#baselines.set(path, found.fingerprint);
    }
    // In the first round every directory is new, so the result means nothing. Changes in the meantime are found by comparing with what was just read.
    this.#directories.endRound();
    this.#step('scanned');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#hashes.stop();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#directories.close();
    await this.#scanning;
  }

  #step(event: DebounceInput): void {
    if (this.#isClosed) return;
    const { state, effect } = debounce(this.#state, event);
    this.#state = state;
    switch (effect) {
      case 'armTimer':
        this.#armTimer();
        break;
      case 'scan':
        this.#scanning = this.#rescan();
        break;
      case 'judge':
        this.#judgeAll();
        break;
      case 'none':
        break;
    }
  }

  #armTimer(): void {
    if (this.#timer === null)
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#step('timerFired');
      }, this.#options.stableMs);
    else this.#timer.refresh();
  }

  async #rescan(): Promise<void> {
    await this.#scanAll();
    if (this.#isClosed) {
      // The scan may have opened watches after close() had closed all of them.
      this.#directories.close();
      return;
    }
    const { grew } = this.#directories.endRound();
    this.#step(grew ? 'scannedAnew' : 'scanned');
  }

  async #scanAll(): Promise<void> {
    const scanned: Scan[] = [];
    for (const path of this.#paths) scanned.push(await scan(path, this.#directories, this.#hashes));
    this.#hashes.forgetUnused();
    this.#scanned = scanned;
  }

  /** Judges all paths. onChange is called once, however many paths changed: they changed together, and one reload serves all of them. */
  #judgeAll(): void {
    const changed: string[] = [];
    for (const [index, path] of this.#paths.entries()) {
      const next = this.#scanned[index]?.fingerprint;
      const baseline = this.#baselines.get(path);
      if (next === undefined || baseline === undefined) continue;
      const verdict = judge(baseline, next);
      this.#baselines.set(path, verdict.baseline);
      if (verdict.changed !== null)
        changed.push(verdict.changed === '' ? path : `${path}/${verdict.changed}`);
    }
    this.#reportProblems();
    const [first] = changed;
    if (first !== undefined) this.#options.onChange(first);
  }

  #reportProblems(): void {
    const missing = this.#paths.filter((_, index) => {
      const scan = this.#scanned[index];
      return scan?.fingerprint.kind === 'absent' && scan.problems.size === 0;
    });
    const problems = new Set([
      ...this.#scanned.flatMap((one) => [...one.problems]),
      ...missing.map(missingProblem),
    ]);
    const fresh = [...problems].filter((problem) => !this.#problems.has(problem));
    this.#problems = problems;
    for (const problem of fresh) this.#options.onProblem(problem);
  }
}

function notWatchable(path: string, problems: ReadonlySet<string>): GracefulRunError {
  const [problem] = problems;
  const reason = problem ?? 'no such file or directory';
  return new GracefulRunError('notWatchable', `cannot watch ${path}: ${reason}`, {
    hint: 'let watch (--watch) name files or directories that exist and can be read',
  });
}
