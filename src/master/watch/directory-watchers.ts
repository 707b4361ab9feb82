/**
 * The directories that are watched, each by one inotify watch, and the names in them that matter. Events of the kernel become hints. The set is renewed in
 * rounds: a directory that a round did not want is no longer watched at its end.
 *
 * Directories are watched and not files, because names change their meaning: an atomic rename, a switched symlink and a recreated file are events of the
 * directory, while a watch on a file that was replaced would still watch the old one.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename } from 'node:path';
import { systemCode } from '../../shared/errors.ts';
import { isIgnored } from './ignore.ts';

interface Listening {
  watcher: FSWatcher;
  /** Identifies the directory at the moment when the watch began: the path can come to mean another one without any event here. */
  identity: string;
  /** The last round that wanted the directory; the last one that wanted every name in it, or 0; and, for each single name, the last one that wanted it. */
  round: number;
  everyNameRound: number;
  readonly nameRounds: Map<string, number>;
}

export class DirectoryWatchers {
  readonly #listening = new Map<string, Listening>();
  readonly #onHint: () => void;
  #round = 1;
  #grew = false;

  constructor(onHint: () => void) {
    this.#onHint = onHint;
  }

  /**
   * Watches `name` in `directory` (a path without symlinks), or every name that is not ignored, and what happens to the directory itself. Has to be called
   * before the directory is examined. Returns null, or the code of the system's error.
   */
  want(directory: string, name: string | null): string | null {
    const listening = this.#current(directory);
    if (typeof listening === 'string') return listening;
    listening.round = this.#round;
    if (name === null) listening.everyNameRound = this.#round;
    else listening.nameRounds.set(name, this.#round);
    return null;
  }

  /** Stops watching directories that were not requested since the last call. Returns whether a directory is watched that was not watched at the last call. */
  endRound(): { readonly grew: boolean } {
    for (const [directory, listening] of this.#listening) {
      if (listening.round !== this.#round) this.#drop(directory, listening);
      if (listening.everyNameRound !== this.#round) listening.everyNameRound = 0;
      for (const [name, round] of listening.nameRounds) {
        if (round !== this.#round) listening.nameRounds.delete(name);
      }
    }
    const grew = this.#grew;
    this.#grew = false;
    this.#round += 1;
    return { grew };
  }

  close(): void {
    for (const [directory, listening] of this.#listening) this.#drop(directory, listening);
  }

  #current(directory: string): Listening | string {
    const known = this.#listening.get(directory);
    try {
      const identity = identityOf(directory);
      if (known?.identity === identity) return known;
      const listening: Listening = {
        watcher: this.#open(directory),
        identity,
        round: 0,
        everyNameRound: known?.everyNameRound ?? 0,
        nameRounds: known?.nameRounds ?? new Map<string, number>(),
      };
      known?.watcher.close();
      this.#listening.set(directory, listening);
      return listening;
    } catch (error) {
      if (known !== undefined) this.#drop(directory, known);
      return systemCode(error) ?? 'unknown error';
    }
  }

  #open(directory: string): FSWatcher {
    const watcher = watch(directory, { persistent: false }, (event, name) => {
      this.#receive(directory, watcher, event, name);
    });
    watcher.on('error', () => {
      this.#receive(directory, watcher, 'rename', null);
    });
    this.#grew = true;
    return watcher;
  }

  #receive(directory: string, watcher: FSWatcher, event: string, name: string | null): void {
    const listening = this.#listening.get(directory);
    if (listening?.watcher !== watcher) return;
    if (event === 'rename' && (name === null || name === basename(directory))) {
      this.#renew(directory, listening);
      this.#onHint();
    } else if (isWanted(listening, name)) {
      this.#onHint();
    }
  }

  /**
   * Watches a directory again that was deleted or moved (or an entry with its name was: the event of the kernel looks the same). Its inode number may
   * already be in use again, so the identity proves nothing. The new watch is opened before the old one is closed.
   */
  #renew(directory: string, listening: Listening): void {
    try {
      const identity = identityOf(directory);
      const watcher = this.#open(directory);
      listening.watcher.close();
      listening.watcher = watcher;
      listening.identity = identity;
    } catch {
      this.#drop(directory, listening);
    }
  }

  #drop(directory: string, listening: Listening): void {
    listening.watcher.close();
    this.#listening.delete(directory);
  }
}

function isWanted(listening: Listening, name: string | null): boolean {
  if (name === null || listening.nameRounds.has(name)) return true;
  return listening.everyNameRound > 0 && !isIgnored(name);
}

function identityOf(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${dev}:${ino}`;
}
