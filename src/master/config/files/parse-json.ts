/** Parses JSON as JSON.parse does, and no more: no comments, no trailing commas, no key twice. */
import { type Node, type ParseError, parseTree } from 'jsonc-parser';
import { messageOf } from '../../../shared/errors.ts';
import { type Parsed, type ParsedEntry, type Position, type SyntaxFault, SyntaxFaults } from './document.ts';

/** Throws `SyntaxFaults`. */
export function parseJson(text: string): Parsed {
  const errors: ParseError[] = [];
  const positionOf = createLocator(text);
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const refusal = refusalOf(text);
  if (refusal !== null || tree === undefined) {
    const offset = errors[0]?.offset ?? text.length;
    throw new SyntaxFaults([
      {
        at: positionOf(offset),
        message: `is not valid JSON: ${reason(refusal ?? '', text, offset)}`,
        hint: hintFor(text, offset),
      },
    ]);
  }
  const twice: SyntaxFault[] = [];
  const parsed = convert(tree);
  if (twice.length > 0) throw new SyntaxFaults(twice);
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

function scalarOf(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** Null: JSON.parse accepts it. */
function refusalOf(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function reason(refusal: string, text: string, offset: number): string {
  if (text.trim() === '') return 'it is empty';
  if (text.slice(offset).trim() === '') return 'it ends too early';
  if (/control character/i.test(refusal)) return 'a string cannot have a control character: write \\n or \\t';
  if (/escape/i.test(refusal)) return 'a backslash has to be written twice';
  const [found = ''] = /^\S/u.exec(text.slice(offset)) ?? [];
  return found === '' ? 'something is missing here' : `${JSON.stringify(found)} is not allowed here`;
}

function hintFor(text: string, offset: number): string | null {
  if (/^\s*\/[/*]/.test(text.slice(offset)) || text.startsWith('#', offset)) return 'JSON has no comments';
  if (/,\s*$/.test(text.slice(0, offset)) && /^\s*[}\]]/.test(text.slice(offset)))
    return 'leave out the comma before it';
  return text.startsWith("'", offset) ? 'a string needs double quotes' : null;
}

/** Line starts are looked up once: a file has many values. */
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
