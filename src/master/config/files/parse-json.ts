/** Parses JSON as JSON.parse does, and no more: no comments, no trailing commas, no key twice. */
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { messageOf } from '../../../shared/errors.ts';
import { type Parsed, type ParsedEntry, type Position, type SyntaxFault, SyntaxFaults } from './document.ts';

/** Parses a text of JSON. Throws `SyntaxFaults`. */
export function parseJson(text: string): Parsed {
  const errors: ParseError[] = [];
  const positionOf = createLocator(text);
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const refusal = refusalOf(text);
  const twice: (SyntaxFault & { readonly at: Position })[] = [];
  const parsed = tree === undefined ? null : convert(tree);
  const faults = (refusal === null ? [] : brokenPlaces(errors, refusal, text)).map(({ kind, offset }) => ({
    at: positionOf(offset),
    message: `is not valid JSON: ${reason(kind, text, offset)}`,
    hint: hintFor(text, offset),
  }));
  const all = [...faults, ...twice].sort((one, other) => one.at.line - other.at.line);
  if (all.length > 0 || parsed === null) throw new SyntaxFaults(all);
  return parsed;

  function convert(node: Node): Parsed {
    const at = positionOf(node.offset);
    if (node.type === 'array') return { kind: 'list', at, items: (node.children ?? []).map(convert) };
    if (node.type !== 'object') return { kind: 'scalar', at, value: scalarOf(node.value) };
    const entries = new Map<string, ParsedEntry>();
    for (const { children: [key, value] = [] } of node.children ?? []) {
      if (key === undefined || value === undefined) continue;
      const name = String(key.value);
      const keyAt = positionOf(key.offset);
      if (entries.has(name))
        twice.push({
          at: keyAt,
          message: `is not valid JSON: the key ${key.value} is written twice`,
          hint: null,
        });
      entries.set(name, { keyAt, value: convert(value) });
    }
    return { kind: 'table', at, entries };
  }
}

/** A fault of the text. `kind`: the message of JSON.parse, or the error code of the parser for editors. */
interface Broken {
  readonly kind: string;
  readonly offset: number;
}

/** How many faults are reported: they fill a screen, and more of them help no reader. */
const maxFaults = 20;

/** The faults of a text. JSON.parse stops at the first one. What the parser for editors finds after it is often only a consequence. */
function brokenPlaces(errors: readonly ParseError[], refusal: string, text: string): readonly Broken[] {
  const all = errors.map(({ error, offset }) => ({ kind: printParseErrorCode(error), offset }));
  const found: Broken[] = [{ kind: refusal, offset: all[0]?.offset ?? text.length }];
  for (const [index, one] of all.entries()) {
    const isSameLine = !/[\r\n]/.test(text.slice(found.at(-1)?.offset, one.offset));
    if (found.length < maxFaults && !isSameLine && !isConsequence(one, all[index - 1], text)) found.push(one);
  }
  return found;
}

function isConsequence({ kind, offset }: Broken, before: Broken | undefined, text: string): boolean {
  // The comma is missing only because it was read as a part of the unterminated string before it.
  if (kind === 'CommaExpected') return before?.kind === 'UnexpectedEndOfString';
  // The value is missing only because the parser has skipped a word that it does not know.
  return kind === 'ValueExpected' && !/[:[,]\s*$/.test(text.slice(0, offset));
}

function scalarOf(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** The error of JSON.parse for this text, or null if it accepts the text. */
function refusalOf(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function reason(kind: string, text: string, offset: number): string {
  if (text.trim() === '') return 'it is empty';
  if (text.slice(offset).trim() === '') return 'it ends too early';
  if (/control character|InvalidCharacter/i.test(kind))
    return 'a string cannot have a control character: write \\n or \\t';
  if (/escape/i.test(kind)) return 'a backslash has to be written twice';
  if (kind === 'UnexpectedEndOfString') return 'a string has no closing quote';
  const [found = ''] = /^\S/u.exec(text.slice(offset)) ?? [];
  return found === '' ? 'something is missing here' : `${JSON.stringify(found)} is not allowed here`;
}

function hintFor(text: string, offset: number): string | null {
  if (/^\s*\/[/*]/.test(text.slice(offset)) || text.startsWith('#', offset)) return 'JSON has no comments';
  if (/,\s*$/.test(text.slice(0, offset)) && /^\s*[}\]]/.test(text.slice(offset)))
    return 'leave out the comma before it';
  return text.startsWith("'", offset) ? 'a string needs double quotes' : null;
}

/** Returns a function that finds the line and column of an offset. Line starts are computed once, because a file has many values. */
function createLocator(text: string): (offset: number) => Position {
  const starts = [0, ...Array.from(text.matchAll(/\r\n|\r|\n/g), ({ index, 0: end }) => index + end.length)];
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
