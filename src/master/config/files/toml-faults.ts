/**
 * Everything that is wrong with a text that is not TOML. The parser stops at the first fault, so the statement that has it is blanked out and the
 * rest is parsed again.
 */
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { positionIn, type SyntaxFault } from './document.ts';

/** Parses the text. Returns the error that the parser throws instead of throwing it. */
export function treeOf(text: string): AST.TOMLProgram | ParseError {
  try {
    return parseTOML(text, { tomlVersion: '1.1.0' });
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

/** How many faults are reported: they fill a screen, and more of them help no reader. */
const maxFaults = 20;
/** In a longer text only the first fault is reported: it would be parsed too often. */
const maxLength = 100_000;
/** How many lines that look like the start of a statement a string or a table of many lines may have. */
const maxInside = 32;

/** The faults of the text, in its order. `first`: the error that the parser has thrown. */
export function tomlFaults(text: string, first: ParseError): readonly SyntaxFault[] {
  if (text.length > maxLength) return [explain(first.message, first.index, text)];
  const faults: { readonly message: string; readonly index: number }[] = [];
  let statements = statementsOf(text);
  let rest = text;
  for (
    let error: object = first;
    error instanceof ParseError && faults.length < maxFaults;
    error = treeOf(rest)
  ) {
    const blamed = blame(statements, error.index);
    const [start] = blamed;
    faults.push(start?.fault ?? error);
    if (start === undefined) break;
    for (const one of blamed) rest = blank(rest, one.start, one.end);
    statements = statements.filter((one) => !blamed.includes(one));
  }
  return faults
    .sort((one, other) => one.index - other.index)
    .map(({ message, index }) => explain(message, index, text));
}

/** A header or a `key = value`, with the text up to the next one. */
interface Statement {
  readonly start: number;
  readonly end: number;
  readonly isHeader: boolean;
  /** Why the statement is not TOML, whatever surrounds it; null if it is TOML. */
  readonly fault: { readonly message: string; readonly index: number } | null;
}

const key = String.raw`(?:[\w-]+|"[^"\r\n]*"|'[^'\r\n]*')`;
const header = /^[ \t]*\[[^\r\n,]*\][ \t]*(?:#.*)?$/;
const beginning = new RegExp(
  String.raw`^(?:[ \t]*\[[^\r\n,]*\][ \t]*(?:#.*)?$|[ \t]*${key}(?:[ \t]*\.[ \t]*${key})*[ \t]*=)`,
  'gm',
);

/** Splits the text into statements. A line inside a string or table may look like the start of a statement: it belongs to the one that is TOML only with it. */
function statementsOf(text: string): readonly Statement[] {
  const starts = Array.from(text.matchAll(beginning), ({ index }) => index);
  if (starts[0] !== 0) starts.unshift(0);
  const endOf = (index: number): number => starts[index + 1] ?? text.length;
  const statements: Statement[] = [];
  for (let index = 0; index < starts.length;) {
    const start = starts[index] ?? 0;
    const isHeader = header.test(text.slice(start, endOf(index)).split(/[\r\n]/)[0] ?? '');
    const last = isHeader ? index : index + maxInside;
    let next = index;
    while (next <= last && next < starts.length && faultIn(start, endOf(next)) !== null) next += 1;
    const isWhole = next <= last && next < starts.length;
    if (!isWhole) next = index;
    statements.push({
      start,
      end: endOf(next),
      isHeader,
      fault: isWhole ? null : faultIn(start, endOf(next)),
    });
    index = next + 1;
  }
  return statements;

  function faultIn(start: number, end: number): Statement['fault'] {
    const error = treeOf(text.slice(start, end));
    if (!(error instanceof ParseError)) return null;
    // If something is missing, it is missing where the text before it ends, and not in the next line.
    const length = text.slice(start, end).trimEnd().length;
    return { message: error.message, index: start + Math.min(error.index, length) };
  }
}

/** The statements to remove so that the fault at `index` is gone and causes no other fault. */
function blame(statements: readonly Statement[], index: number): readonly Statement[] {
  const before = statements.filter(({ start }) => start <= index);
  const blamed = before.find(({ fault }) => fault !== null) ?? before.at(-1);
  if (blamed === undefined) return [];
  if (!blamed.isHeader) return [blamed];
  // A header is removed with its whole table: the keys would go to the table above otherwise.
  const at = statements.indexOf(blamed);
  const next = statements.findIndex((one, other) => other > at && one.isHeader);
  return statements.slice(at, next === -1 ? undefined : next);
}

/** Replaces a part of the text by spaces, so that all places in it stay the same. */
function blank(text: string, start: number, end: number): string {
  return text.slice(0, start) + text.slice(start, end).replaceAll(/[^\r\n]/g, ' ') + text.slice(end);
}

const plainWords: Readonly<Record<string, string>> = {
  'Defining a key multiple times is invalid': 'this key or table is written twice',
  'Unspecified values are invalid': 'a value is missing',
  'Unexpected character': 'this character is not allowed here',
  'Unexpected token': 'this is not allowed here',
  'Must be a newline': 'a new line has to begin here',
  'Unterminated string constant': 'a string has no closing quote',
};

function explain(message: string, index: number, text: string): SyntaxFault {
  // The parser's own line and column are wrong where a line ends in a carriage return alone.
  const at = positionIn(text, index);
  const line = text.split(/\r\n|\r|\n/)[at.line - 1] ?? '';
  const words = plainWords[message] ?? message.charAt(0).toLowerCase() + message.slice(1);
  return { at, message: `is not valid TOML: ${words}`, hint: hintFor(line) };
}

/** A hint for a line of Supervisor's format, YAML or JSON, or with a string without quotes; null for any other line. */
function hintFor(line: string): string | null {
  const [, section, name] = /^\s*\[([a-z_]+):([\w.-]+)\]/.exec(line) ?? [];
  if (section !== undefined) return `write [program.${name ?? 'NAME'}]`;
  if (/^\s*[\w-]+:(\s|$)/.test(line)) return 'write key = value; for YAML, name the file .yaml';
  if (/^\s*\{\s*$/.test(line)) return 'for JSON, name the file .json';
  if (/^\s*[\w-]+\s*=\s*[A-Za-z/.~$][^"']*$/.test(line)) return 'a string needs quotes: key = "value"';
  return null;
}
