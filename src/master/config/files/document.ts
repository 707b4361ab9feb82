/** A config file as a tree in which every value knows where it was written. All formats are parsed into it. Pure. */
import type { PlanProblem } from '../../../shared/control-api.ts';

/** A place in a text. Line and column count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A file, and the folder at which relative paths in it start. Both are absolute, with symlinks not resolved. */
export interface Source {
  readonly path: string;
  readonly folder: string;
}

/** The result of a parser: a tree that does not know yet which file it belongs to. Positions are null if the format has none. */
export type Parsed =
  | { readonly kind: 'scalar'; readonly at: Position | null; readonly value: Scalar }
  /** A value of a kind that no key of a plan can have. `what`: `a date`, `a function`. */
  | { readonly kind: 'other'; readonly at: Position | null; readonly what: string }
  | { readonly kind: 'list'; readonly at: Position | null; readonly items: readonly Parsed[] }
  | {
      readonly kind: 'table';
      readonly at: Position | null;
      readonly entries: ReadonlyMap<string, ParsedEntry>;
    };

export type Scalar = string | number | boolean | null;

export interface ParsedEntry {
  readonly keyAt: Position | null;
  readonly value: Parsed;
}

/** What is wrong with the text of a file. */
export interface SyntaxFault {
  readonly at: Position | null;
  readonly message: string;
  readonly hint: string | null;
}

/** The error that a parser throws, with all faults that it has found. */
export class SyntaxFaults extends Error {
  readonly faults: readonly SyntaxFault[];

  constructor(faults: readonly SyntaxFault[]) {
    super(faults[0]?.message ?? 'cannot be parsed');
    this.faults = faults;
  }
}

type Path = readonly (string | number)[];

interface Placed {
  readonly source: Source;
  /** The keys and indexes that lead to the value from the top of its file. */
  readonly path: Path;
  readonly at: Position | null;
}

export interface ScalarNode extends Placed {
  readonly kind: 'scalar';
  readonly value: Scalar;
}
export interface OtherNode extends Placed {
  readonly kind: 'other';
  readonly what: string;
}
export interface ListNode extends Placed {
  readonly kind: 'list';
  readonly items: readonly PlanNode[];
}
export interface TableNode extends Placed {
  readonly kind: 'table';
  readonly entries: ReadonlyMap<string, Entry>;
}
export interface Entry {
  readonly keyAt: Position | null;
  readonly node: PlanNode;
}
export type PlanNode = ScalarNode | OtherNode | ListNode | TableNode;

/** The deepest nesting that is accepted. No config needs more, and recursion without a limit would overflow the stack. */
const maxDepth = 32;

/** The tree of a file. Throws `SyntaxFaults` when it is nested too deeply. */
export function place(parsed: Parsed, source: Source, path: Path = []): PlanNode {
  const { at } = parsed;
  if (path.length > maxDepth)
    throw new SyntaxFaults([{ at, message: `is nested more than ${maxDepth} levels deep`, hint: null }]);
  const placed = { source, path, at };
  switch (parsed.kind) {
    case 'scalar':
      return { kind: 'scalar', ...placed, value: parsed.value };
    case 'other':
      return { kind: 'other', ...placed, what: parsed.what };
    case 'list':
      return {
        kind: 'list',
        ...placed,
        items: parsed.items.map((item, index) => place(item, source, [...path, index])),
      };
    case 'table': {
      const entries = new Map<string, Entry>();
      for (const [key, { keyAt, value }] of parsed.entries)
        entries.set(key, { keyAt, node: place(value, source, [...path, key]) });
      return { kind: 'table', ...placed, entries };
    }
  }
}

/** The node under a path of keys and indexes, or the nearest one around it. */
export function nodeAt(node: PlanNode, path: readonly PropertyKey[]): PlanNode {
  const [first, ...rest] = path;
  if (first === undefined) return node;
  const child =
    node.kind === 'table'
      ? node.entries.get(String(first))?.node
      : node.kind === 'list' && typeof first === 'number'
        ? node.items[first]
        : undefined;
  return child === undefined ? node : nodeAt(child, rest);
}

/** A problem with a value. */
export function problemWith(
  { source, path, at }: Placed,
  message: string,
  hint: string | null = null,
): PlanProblem {
  return {
    file: source.path,
    line: at?.line ?? null,
    column: at?.column ?? null,
    key: path.length === 0 ? null : keyOf(path),
    message,
    hint,
  };
}

/** A problem with a key of a table. */
export function problemWithKey(
  table: TableNode,
  key: string,
  message: string,
  hint: string | null = null,
): PlanProblem {
  const entry = table.entries.get(key);
  const node = entry?.node ?? table;
  return problemWith(
    {
      source: node.source,
      path: entry === undefined ? [...table.path, key] : node.path,
      at: entry?.keyAt ?? node.at,
    },
    message,
    hint,
  );
}

/** A path as a config file writes it: `program.shop.command[1]`, `program."a.b".port`. */
export function keyOf(path: Path): string {
  return path.reduce<string>((before, part) => {
    if (typeof part === 'number') return `${before}[${part}]`;
    const written = /^[A-Za-z0-9_$-]+$/.test(part) ? part : JSON.stringify(part);
    return before === '' ? written : `${before}.${written}`;
  }, '');
}

/** Where a character of a text is. */
export function positionIn(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const start = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1;
  return { line: before.split(/\r\n|\r|\n/).length, column: before.length - start + 1 };
}
