/** Parses TOML 1.1, of which TOML 1.0 is a part. */
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import {
  type Parsed,
  type ParsedEntry,
  type Position,
  positionIn,
  type SyntaxFault,
  SyntaxFaults,
} from './document.ts';

type Table = Extract<Parsed, { kind: 'table' }> & { readonly entries: Map<string, ParsedEntry> };
type List = Extract<Parsed, { kind: 'list' }> & { readonly items: Parsed[] };

/** Throws `SyntaxFaults`. The parser stops at the first fault. */
export function parseToml(text: string): Parsed {
  let tree: AST.TOMLProgram;
  try {
    tree = parseTOML(text, { tomlVersion: '1.1.0' });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    // Its own line and column are wrong where a line ends in a carriage return alone.
    throw new SyntaxFaults([explain(error, text)]);
  }
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

/** All tables of this file are made here, with a Map that can be written to. */
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

const plainWords: Readonly<Record<string, string>> = {
  'Defining a key multiple times is invalid': 'this key or table is written twice',
  'Unspecified values are invalid': 'a value is missing',
  'Unexpected character': 'this character is not allowed here',
  'Unexpected token': 'this is not allowed here',
  'Must be a newline': 'a new line has to begin here',
  'Unterminated string constant': 'a string has no closing quote',
};

function explain({ message, index }: ParseError, text: string): SyntaxFault {
  // What is missing is missing where the text before it ends, and not in the next line.
  const isMissing = message === 'Unspecified values are invalid';
  const at = positionIn(text, isMissing ? text.slice(0, index).trimEnd().length : index);
  const line = text.split(/\r\n|\r|\n/)[at.line - 1] ?? '';
  const words = plainWords[message] ?? message.charAt(0).toLowerCase() + message.slice(1);
  return { at, message: `is not valid TOML: ${words}`, hint: hintFor(line) };
}

/** Supervisor's headers, YAML and JSON are what a TOML file is mistaken for. */
function hintFor(line: string): string | null {
  const [, section, name] = /^\s*\[([a-z_]+):([\w.-]+)\]/.exec(line) ?? [];
  if (section !== undefined) return `write [program.${name ?? 'NAME'}]`;
  if (/^\s*[\w-]+:(\s|$)/.test(line)) return 'write key = value; for YAML, name the file .yaml';
  if (/^\s*\{\s*$/.test(line)) return 'for JSON, name the file .json';
  if (/^\s*[\w-]+\s*=\s*[A-Za-z/.~$][^"']*$/.test(line)) return 'a text needs quotes: key = "value"';
  return null;
}
