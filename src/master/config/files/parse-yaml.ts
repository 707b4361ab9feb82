/** Parses YAML 1.2, with anchors, aliases and merge keys (`<<: *base`). */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import {
  type Parsed,
  type ParsedEntry,
  type Position,
  type Scalar,
  type SyntaxFault,
  SyntaxFaults,
} from './document.ts';

/** How many values a file may have once its aliases are resolved: ten levels of ten aliases would be ten billion values. */
const maxValues = 100_000;

/** The words of V8 for a text that is nested too deeply for the parser, which reports that like a fault of the text. */
const isOverflow = /call stack size|stack overflow/i;

/** Parses a text of YAML. Throws `SyntaxFaults` with every fault of the text, and RangeError if it is nested too deeply. */
export function parseYaml(text: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const errors = [...document.errors, ...document.warnings];
  // Where the stack ends, and what the parser reports after that, depends on the version of Node.js.
  const overflow = errors.find(({ message }) => isOverflow.test(message));
  if (overflow !== undefined) throw new RangeError(overflow.message);
  const faults = errors.map((error) => explain(error, lines));
  if (faults.length > 0) throw new SyntaxFaults(faults);
  const reader = createReader(lines);
  const root = document.contents === null ? null : reader.read(document.contents);
  if (reader.faults.length > 0) throw new SyntaxFaults(reader.faults);
  // The file is empty.
  return root === null || (root.kind === 'scalar' && root.value === null)
    ? { kind: 'table', at: { line: 1, column: 1 }, entries: new Map() }
    : root;
}

interface Reader {
  read(node: Node): Parsed;
  readonly faults: readonly SyntaxFault[];
}

function createReader(lines: LineCounter): Reader {
  const faults: SyntaxFault[] = [];
  const anchors = new Map<string, Node>();
  const open = new Set<Node>();
  let values = 0;
  let aliases = 0;

  const positionOf = (node: Node): Position => {
    const { line, col } = lines.linePos(node.range?.[0] ?? 0);
    return { line, column: col };
  };

  function fault(node: Node, message: string, hint: string | null = null): Parsed {
    const at = positionOf(node);
    faults.push({ at, message: `is not a valid config file: ${message}`, hint });
    return { kind: 'other', at, what: 'nothing' };
  }

  function read(node: Node): Parsed {
    values += 1;
    if (values > maxValues)
      throw new SyntaxFaults([
        {
          at: positionOf(node),
          message: `is not a valid config file: it has more than ${maxValues.toLocaleString('en')} values, with its aliases`,
          hint: 'write fewer aliases (*name) of values that have aliases themselves',
        },
      ]);
    if (isAlias(node)) return readAlias(node, node.source);
    const anchor = anchorOf(node);
    if (anchor !== undefined && aliases === 0) anchors.set(anchor, node);
    open.add(node);
    const parsed = readValue(node);
    open.delete(node);
    return parsed;
  }

  function readAlias(node: Node, name: string): Parsed {
    const target = anchors.get(name);
    if (target === undefined)
      return fault(
        node,
        `there is no anchor &${name} before *${name}`,
        'a string that begins with * needs quotes',
      );
    if (open.has(target)) return fault(node, `&${name} contains *${name}, which is itself`);
    aliases += 1;
    const parsed = read(target);
    aliases -= 1;
    return parsed;
  }

  function readValue(node: Node): Parsed {
    const at = positionOf(node);
    if (isScalar(node))
      return isPlain(node.value)
        ? { kind: 'scalar', at, value: node.value }
        : { kind: 'other', at, what: 'a value with a tag' };
    if (isSeq<Node>(node)) return { kind: 'list', at, items: node.items.map(read) };
    if (isMap<Node, Node | null>(node)) return { kind: 'table', at, entries: entriesOf(node) };
    return { kind: 'other', at, what: 'nothing' };
  }

  function entriesOf(map: YAMLMap<Node, Node | null>): Map<string, ParsedEntry> {
    const own = new Map<string, ParsedEntry>();
    const merged = new Map<string, ParsedEntry>();
    for (const { key, value } of map.items) {
      const keyAt = positionOf(key);
      if (!isScalar(key)) {
        fault(key, 'a key must be a string');
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      const given = value === null ? { kind: 'scalar' as const, at: keyAt, value: null } : read(value);
      if (name === '<<' && key.type === 'PLAIN') {
        for (const base of given.kind === 'list' ? given.items : [given]) {
          if (base.kind !== 'table') fault(key, '<< must be an alias of a table, such as <<: *base');
          // If several merged tables have a key, the first one wins: https://yaml.org/type/merge.html
          else for (const [inner, entry] of base.entries) if (!merged.has(inner)) merged.set(inner, entry);
        }
      } else own.set(name, { keyAt, value: given });
    }
    return new Map([...merged, ...own]);
  }

  return { read, faults };
}

function anchorOf({ anchor }: { readonly anchor?: string | undefined }): string | undefined {
  return anchor;
}

function isPlain(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

const plainWords: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is written twice',
  MULTIPLE_DOCS: 'a second document begins here',
  TAB_AS_INDENT: 'tabs are not allowed as indentation: use spaces',
};

function explain({ code, message, pos }: YAMLError, lines: LineCounter): SyntaxFault {
  const { line, col } = lines.linePos(pos[0]);
  const words = plainWords[code] ?? message.charAt(0).toLowerCase() + message.slice(1);
  return { at: { line, column: col }, message: `is not valid YAML: ${words}`, hint: null };
}
