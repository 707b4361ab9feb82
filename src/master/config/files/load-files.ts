/** Reads a config file and the files that it includes. */
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PlanProblem } from '../../../shared/control-api.ts';
import {
  type Entry,
  place,
  type PlanNode,
  problemWith,
  type Source,
  SyntaxFaults,
  type TableNode,
} from './document.ts';
import { expand } from './expand.ts';
import { parseFile } from './formats.ts';

export interface LoadedFile {
  readonly root: TableNode;
  /** The `[defaults]` that apply to its programs: those of the file that includes it come first, its own last. */
  readonly defaults: readonly TableNode[];
  readonly isIncluded: boolean;
}

export interface Loaded {
  /** The files in the order in which they are included, each before those that it includes. */
  readonly files: readonly LoadedFile[];
  readonly problems: readonly PlanProblem[];
  /** Whether every file could be read. */
  readonly isComplete: boolean;
}

/** How many files a config may have. A pattern that matches more matches too much. */
const maxFiles = 1_000;

interface Visit {
  readonly path: string;
  readonly defaults: readonly TableNode[];
  /** The real paths of the files that lead to this one by their includes, beginning with the first file. */
  readonly way: readonly string[];
  /** The value that includes the file, or null for the first file. */
  readonly by: PlanNode | null;
}

/**
 * Loads a config file with its includes. It reads everything that can be read, so that all problems are found at once. Never rejects for what a file
 * contains. `beforeCode`: called before code of the user runs for the first time.
 */
export async function loadFiles(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
  beforeCode: () => void = () => undefined,
): Promise<Loaded> {
  let hasRunCode = false;
  const willRunCode = (): void => {
    if (!hasRunCode) beforeCode();
    hasRunCode = true;
  };
  const files: LoadedFile[] = [];
  const problems: PlanProblem[] = [];
  /** What includes each file, by its real path. */
  const seen = new Map<string, PlanNode | null>();
  let isComplete = true;
  await visit({ path, defaults: [], way: [], by: null });
  return { files, problems, isComplete };

  async function visit({ path: file, defaults, way, by }: Visit): Promise<void> {
    const identity = realPath(file);
    if (by !== null && !isNew(file, identity, way, by)) return;
    seen.set(identity, by);
    const source: Source = { path: file, folder: dirname(file) };
    const root = await parse(source, by);
    if (root === null) {
      isComplete = false;
      return;
    }
    const own = root.entries.get('defaults')?.node;
    const all = own?.kind === 'table' ? [...defaults, own] : defaults;
    files.push({ root, defaults: all, isIncluded: by !== null });
    for (const { node, file: included } of await includesOf(root)) {
      if (seen.size >= maxFiles) {
        problems.push(problemWith(node, `includes more than ${maxFiles.toLocaleString('en')} files`));
        return;
      }
      await visit({ path: included, defaults: all, way: [...way, identity], by: node });
    }
  }

  function isNew(file: string, identity: string, way: readonly string[], by: PlanNode): boolean {
    const before = seen.get(identity);
    if (before === undefined) return true;
    if (way.includes(identity) || by.source.path === file) {
      const circle = [...way.slice(way.indexOf(identity)), identity].join(' → ');
      problems.push(problemWith(by, `includes itself: ${circle}`, 'remove one of them'));
    } else {
      const where = before === null ? 'it is the first file' : `first by ${placeOf(before)}`;
      problems.push(problemWith(by, `includes ${file} a second time (${where})`, 'include it once'));
    }
    return false;
  }

  /** Parses a file; null if it cannot be read, which is reported. */
  async function parse(source: Source, by: PlanNode | null): Promise<TableNode | null> {
    const hint = by === null ? null : `it is included by ${placeOf(by)}`;
    try {
      const root = place(await parseFile(source.path, willRunCode), source);
      if (root.kind === 'table') return root;
      problems.push(
        problemWith(root, `must be a table, not ${root.kind === 'list' ? 'a list' : 'a single value'}`, hint),
      );
    } catch (error) {
      if (!(error instanceof SyntaxFaults)) throw error;
      for (const fault of error.faults)
        problems.push(problemWith({ source, path: [], at: fault.at }, fault.message, fault.hint ?? hint));
    }
    return null;
  }

  async function includesOf(
    root: TableNode,
  ): Promise<readonly { readonly node: PlanNode; readonly file: string }[]> {
    const entry: Entry | undefined = root.entries.get('include');
    if (entry === undefined) return [];
    if (entry.node.kind !== 'list') {
      problems.push(
        problemWith(entry.node, 'must be a list of files and patterns, such as ["conf.d/*.toml"]'),
      );
      return [];
    }
    // Loaded only if a file includes others, as the parsers are.
    const { filesOf } = await import('./glob.ts');
    return entry.node.items.flatMap((node) => {
      if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value === '') {
        problems.push(problemWith(node, 'must be a file or a pattern, such as "conf.d/*.toml"'));
        return [];
      }
      const { text, faults } = expand(node.value, {
        environment,
        here: root.source.folder,
        program: null,
        belongsTo: null,
      });
      for (const { message, hint } of faults) problems.push(problemWith(node, message, hint));
      if (faults.length > 0) return [];
      const matches = filesOf(text, root.source.folder);
      if ('files' in matches) return matches.files.map((file) => ({ node, file }));
      isComplete = false;
      problems.push(problemWith(node, matches.problem));
      return [];
    });
  }
}

function placeOf({ source, at }: PlanNode): string {
  return at === null ? source.path : `${source.path}:${at.line}`;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
