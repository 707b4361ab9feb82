/** Parses TOML 1.1, of which TOML 1.0 is a part. */
import { type AST, ParseError } from 'toml-eslint-parser';
import { type Parsed, type ParsedEntry, type Position, SyntaxFaults } from './document.ts';
import { tomlFaults, treeOf } from './toml-faults.ts';

type Table = Extract<Parsed, { kind: 'table' }> & { readonly entries: Map<string, ParsedEntry> };
type List = Extract<Parsed, { kind: 'list' }> & { readonly items: Parsed[] };

/** Parses a text of TOML. Throws `SyntaxFaults`. */
export function parseToml(text: string): Parsed {
  const tree = treeOf(text);
  if (tree instanceof ParseError) throw new SyntaxFaults(tomlFaults(text, tree));
  const root = newTable({ line: 1, column: 1 });
  const lists = new Map<string, List>();
  for (const node of tree.body[0].body) {
    if (node.type === 'TOMLKeyValue') set(root, node);
    else {
      const table = tableOf(root, node, lists);
      for (const pair of node.body) set(table, pair);
    }
  }
  return root;
}

function newTable(at: Position): Table {
  return { kind: 'table', at, entries: new Map() };
}

/** The table that a header names: `[program.shop]`, `[[x]]`. */
function tableOf(root: Table, { key, resolvedKey }: AST.TOMLTable, lists: Map<string, List>): Table {
  let table = root;
  let keys = 0;
  const way: (string | number)[] = [];
  for (const [index, part] of resolvedKey.entries()) {
    if (typeof part === 'number') continue;
    const at = startOf(key.keys[keys++] ?? key);
    way.push(part);
    const element = resolvedKey[index + 1];
    if (typeof element !== 'number') {
      table = subTable(table, part, at);
      continue;
    }
    const place = JSON.stringify(way);
    way.push(element);
    const list = lists.get(place) ?? { kind: 'list', at, items: [] };
    lists.set(place, list);
    table.entries.set(part, table.entries.get(part) ?? { keyAt: at, value: list });
    const existing = list.items[element];
    const item = existing !== undefined && isOpenTable(existing) ? existing : newTable(at);
    list.items[element] = item;
    table = item;
  }
  return table;
}

function subTable(table: Table, key: string, at: Position): Table {
  const existing = table.entries.get(key)?.value;
  if (existing !== undefined && isOpenTable(existing)) return existing;
  const made = newTable(at);
  table.entries.set(key, { keyAt: at, value: made });
  return made;
}

/** Whether the value is a table whose Map can be written to. All tables of this file are created here with such a Map. */
function isOpenTable(value: Parsed): value is Table {
  return value.kind === 'table' && value.entries instanceof Map;
}

function set(table: Table, { key, value }: AST.TOMLKeyValue): void {
  const parts = [...key.keys];
  const last = parts.pop();
  if (last === undefined) return;
  let target = table;
  for (const part of parts) target = subTable(target, nameOf(part), startOf(part));
  target.entries.set(nameOf(last), { keyAt: startOf(last), value: valueOf(value) });
}

function valueOf(node: AST.TOMLContentNode): Parsed {
  const at = startOf(node);
  switch (node.type) {
    case 'TOMLArray':
      return { kind: 'list', at, items: node.elements.map(valueOf) };
    case 'TOMLInlineTable': {
      const table = newTable(at);
      for (const pair of node.body) set(table, pair);
      return table;
    }
    case 'TOMLValue':
      return node.value instanceof Date
        ? { kind: 'other', at, what: 'a date or a time' }
        : { kind: 'scalar', at, value: node.value };
  }
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === 'TOMLBare' ? key.name : key.value;
}

function startOf({ loc }: AST.HasLocs): Position {
  return { line: loc.start.line, column: loc.start.column + 1 };
}
