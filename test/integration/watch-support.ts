/** A folder of its own for each test, and a watch whose reports can be awaited. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { startWatch } from '../../src/master/watch/start-watch.ts';

export interface Ground {
  readonly root: string;
  at(...parts: readonly string[]): string;
  write(path: string, content: string): void;
}

/** A temporary folder that goes with the test. */
export function ground(): Ground {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'graceful-watch-')));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const at = (...parts: readonly string[]): string => join(root, ...parts);
  return {
    root,
    at,
    write(path, content) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), content);
    },
  };
}

export interface Watched {
  /** Resolves with the path of the next change that was not yet taken. */
  nextChange(): Promise<string>;
  nextProblem(): Promise<string>;
  /**
   * Proves that what happened before is no change: a file that is watched last is changed, every path is read for that, and
   * an earlier one that had changed would be the one that is reported. `act` may lend the right to write.
   */
  expectNoChange(act?: (write: () => void) => void): Promise<void>;
  readonly problems: readonly string[];
  close(): Promise<void>;
}

let sentinels = 0;

/** Watches `paths` and, behind them, a sentinel. The watch is closed, and what was not taken fails the test, at its end. */
export async function watching(g: Ground, paths: readonly string[], stableMs = 200): Promise<Watched> {
  sentinels += 1;
  const sentinel = `sentinel-${sentinels}/file`;
  g.write(sentinel, '0');
  const changes = queue<string>();
  const problems = queue<string>();
  const watch = await startWatch({
    paths: [...paths, g.at(sentinel)],
    stableMs,
    onChange: changes.push,
    onProblem: problems.push,
  });
  onTestFinished(async () => {
    await watch.close();
    expect(changes.pending).toEqual([]);
  });
  let round = 0;
  return {
    nextChange: changes.next,
    nextProblem: problems.next,
    problems: problems.all,
    close: () => watch.close(),
    async expectNoChange(
      act = (write) => {
        write();
      },
    ) {
      round += 1;
      act(() => {
        g.write(sentinel, String(round));
      });
      expect(await changes.next()).toBe(g.at(sentinel));
    },
  };
}

interface Queue<Item> {
  readonly all: readonly Item[];
  readonly pending: readonly Item[];
  readonly push: (item: Item) => void;
  readonly next: () => Promise<Item>;
}

function queue<Item>(): Queue<Item> {
  const all: Item[] = [];
  const pending: Item[] = [];
  const takers: ((item: Item) => void)[] = [];
  return {
    all,
    pending,
    push(item) {
      all.push(item);
      const taker = takers.shift();
      if (taker === undefined) pending.push(item);
      else taker(item);
    },
    next() {
      const item = pending.shift();
      return item === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(item);
    },
  };
}

/** How many inotify watches this process holds. */
export function inotifyWatches(): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fdinfo')) {
    try {
      count += readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('inotify wd:')).length;
    } catch {
      // The descriptor of the listing itself is closed by now.
    }
  }
  return count;
}

/**
 * The superuser may read everything: from now until the end of the test this process is somebody else. Returns how to act as
 * before for a moment.
 */
export function withoutPrivileges(): (act: () => void) => void {
  const become = process.seteuid?.bind(process);
  if (process.getuid?.() !== 0 || become === undefined) {
    return (act) => {
      act();
    };
  }
  const nobody = 65_534;
  become(nobody);
  onTestFinished(() => {
    become(0);
  });
  return (act) => {
    become(0);
    act();
    become(nobody);
  };
}
