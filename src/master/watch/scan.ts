/**
 * Takes the fingerprint of one watched path, and listens to each directory on the way just before looking into it, so that a
 * change after the look is reported.
 */
import { readdir } from 'node:fs/promises';
import { systemCode } from '../../shared/errors.ts';
import type { DirectoryWatchers } from './directory-watchers.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { Hashes } from './content-hashes.ts';
import { isIgnored } from './ignore.ts';
import { deafProblem, unreadableProblem } from './watch-problems.ts';
import { followRoute, inside, type Route } from './path-route.ts';
import { isAbsence, isSharedDirectory, probe } from './content-probe.ts';

export interface Scan {
  readonly fingerprint: Fingerprint;
  /** The files and directories that could not be read or watched, each as a sentence for people. */
  readonly problems: ReadonlySet<string>;
}

/** Scans a path. Scans with the same watchers and hashes must not overlap. Never rejects because of the file system. */
export async function scan(path: string, watchers: DirectoryWatchers, hashes: Hashes): Promise<Scan> {
  const run = new ScanRun(watchers, hashes);
  const fingerprint = await run.fingerprint(path);
  return { fingerprint, problems: run.problems };
}

class ScanRun {
  readonly problems: Set<string> = new Set();
  readonly #watchers: DirectoryWatchers;
  readonly #hashes: Hashes;
  readonly #entries = new Map<string, string>();
  readonly #unknown: string[] = [];
  /** The real paths of directories that were walked, because a symlink may lead back up. */
  readonly #walked = new Set<string>();

  constructor(watchers: DirectoryWatchers, hashes: Hashes) {
    this.#watchers = watchers;
    this.#hashes = hashes;
  }

  async fingerprint(path: string): Promise<Fingerprint> {
    const route = this.#follow(path);
    switch (route.kind) {
      case 'missing':
      case 'special':
        return { kind: 'absent' };
      case 'unreadable':
        this.problems.add(unreadableProblem(path, route.code));
        return { kind: 'absent' };
      case 'file':
        await this.#addFile('', route.realpath, '');
        break;
      case 'directory':
        await this.#walk(route.realpath, '');
    }
    const isAbsent = route.kind === 'file' ? this.#entries.size === 0 : this.#unknown.includes('');
    if (isAbsent) return { kind: 'absent' };
    return { kind: 'content', realpath: route.realpath, entries: this.#entries, unknown: this.#unknown };
  }

  #follow(path: string): Route {
    return followRoute(path, (directory, name) => {
      // The removal of a plain directory in /tmp is noticed anyway, because that directory is watched next. Watching all of /tmp would cause wake-ups all
      // the time.
      if (isSharedDirectory(directory) && probe(inside(directory, name)).kind === 'directory')
        return { kind: 'directory' };
      const deaf = this.#watchers.want(directory, name);
      const entry = probe(inside(directory, name));
      // A plain directory in the path is seldom renamed, and often not readable, such as /home. So this is not a problem.
      if (deaf !== null && !isAbsence(deaf) && entry.kind !== 'directory')
        this.problems.add(deafProblem(directory, deaf));
      return entry;
    });
  }

  async #walk(directory: string, relative: string): Promise<void> {
    if (this.#walked.has(directory)) return;
    this.#walked.add(directory);
    const deaf = this.#watchers.want(directory, null);
    if (deaf !== null && !isAbsence(deaf)) this.problems.add(deafProblem(directory, deaf));
    for (const entry of await this.#list(directory, relative)) {
      const path = inside(directory, entry.name);
      const below = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (this.#hashes.isStopped()) return;
      if (entry.isDirectory()) await this.#walk(path, below);
      else if (entry.isSymbolicLink()) await this.#addLink(below, path);
      else if (entry.isFile()) await this.#addFile(below, path, '');
    }
  }

  async #list(directory: string, relative: string): Promise<Awaited<ReturnType<typeof listOf>>> {
    try {
      return await listOf(directory);
    } catch (error) {
      const code = systemCode(error) ?? 'unknown error';
      if (!isAbsence(code)) {
        this.problems.add(unreadableProblem(directory, code));
        this.#unknown.push(relative);
      }
      return [];
    }
  }

  async #addLink(relative: string, path: string): Promise<void> {
    const route = this.#follow(path);
    if (route.kind === 'file') {
      await this.#addFile(relative, route.realpath, `${route.realpath} `);
    } else if (route.kind === 'directory') {
      this.#entries.set(relative, route.realpath);
      await this.#walk(route.realpath, relative);
    } else if (route.kind === 'unreadable') {
      this.problems.add(unreadableProblem(path, route.code));
      this.#unknown.push(relative);
    }
  }

  async #addFile(relative: string, path: string, prefix: string): Promise<void> {
    const hashed = await this.#hashes.hashOf(path);
    if (hashed.kind === 'hash') {
      this.#entries.set(relative, prefix + hashed.hash);
    } else if (hashed.kind === 'unreadable') {
      this.problems.add(unreadableProblem(path, hashed.code));
      this.#unknown.push(relative);
    }
  }
}

/** The entries of a directory that count, in an order that depends on their names alone. */
async function listOf(
  directory: string,
): Promise<{ name: string; isDirectory(): boolean; isSymbolicLink(): boolean; isFile(): boolean }[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.filter((entry) => !isIgnored(entry.name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}
