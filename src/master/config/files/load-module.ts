/**
 * Loads a config file that is a program: .js, .cjs, .mjs, .ts, .mts. It runs code of the user, which may do anything: only the short-lived
 * process of ../read-plan-main.ts comes here.
 */
import { pathToFileURL } from 'node:url';
import { messageOf, systemCode } from '../../../shared/errors.ts';
import { type Parsed, type ParsedEntry, type Position, SyntaxFaults } from './document.ts';
import { checkReadable } from './read-text.ts';

/** The default export of the module, or what that function returns, or what that promise resolves to. Throws `SyntaxFaults`. */
export async function loadModule(path: string): Promise<Parsed> {
  checkReadable(path);
  try {
    let value = await defaultExport(path);
    if (typeof value === 'function') value = (await Reflect.apply(value, undefined, [])) as unknown;
    // Converted inside this `try`, because a getter may throw.
    return convert(value);
  } catch (error) {
    throw error instanceof SyntaxFaults ? error : new SyntaxFaults([explain(error, path)]);
  }
}

async function defaultExport(path: string): Promise<unknown> {
  const module: unknown = await import(pathToFileURL(path).href);
  const exported = propertyOf(module, 'default');
  // Compilers write `export default` in CommonJS as a property `default` beside `__esModule`.
  const value: unknown = await (propertyOf(exported, '__esModule') === true
    ? propertyOf(exported, 'default')
    : exported);
  if (value === undefined)
    throw new SyntaxFaults([
      {
        at: null,
        message: 'has no default export',
        hint: 'export default { program: { … } }; in a .cjs file: module.exports = { program: { … } }',
      },
    ]);
  return value;
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** Describes an error that the file has thrown, with its place as far as the stack tells. Errors that it throws later, in a timer, are described, too. */
export function explain(
  error: unknown,
  path: string,
): { at: Position | null; message: string; hint: string | null } {
  const code = systemCode(error);
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.m?ts$/.test(path))
    return {
      at: null,
      message: `is TypeScript, which Node.js ${process.versions.node} cannot load`,
      hint: 'run graceful-run with Node.js 22.18 or later, or write the file in JavaScript',
    };
  const name = error instanceof Error ? error.name : 'a value that is no Error';
  return {
    at: positionOf(error, path),
    message: `throws ${name}: ${messageOf(error).split('\n')[0] ?? ''}`,
    hint: null,
  };
}

/** Finds `file:///srv/app/graceful.mjs:3:7` in a line of the stack. A SyntaxError has its place in the first line. */
function positionOf(error: unknown, path: string): Position | null {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const name of [pathToFileURL(path).href, path]) {
    const at = stack.indexOf(`${name}:`);
    const [, line, column] =
      at === -1 ? [] : (/^:(\d+)(?::(\d+))?/.exec(stack.slice(at + name.length)) ?? []);
    if (line !== undefined) return { line: Number(line), column: Number(column ?? 1) };
  }
  return null;
}

/** How many values a tree may have: more of them are not a config file, but a mistake. */
const maxValues = 100_000;

/** Converts plain data to a tree; names everything that is not plain data. Throws `SyntaxFaults`. */
export function convert(value: unknown): Parsed {
  const open = new Set<object>();
  let values = 0;
  return read(value);

  function read(one: unknown): Parsed {
    values += 1;
    if (values > maxValues)
      throw new SyntaxFaults([
        { at: null, message: `exports more than ${maxValues.toLocaleString('en')} values`, hint: null },
      ]);
    if (one === null || typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
      return { kind: 'scalar', at: null, value: one };
    if (typeof one !== 'object') return { kind: 'other', at: null, what: `a ${typeof one}` };
    if (open.has(one)) return { kind: 'other', at: null, what: 'an object that contains itself' };
    open.add(one);
    const parsed = readObject(one);
    open.delete(one);
    return parsed;
  }

  function readObject(one: object): Parsed {
    if (Array.isArray(one)) return { kind: 'list', at: null, items: Array.from<unknown>(one).map(read) };
    if (!isPlain(one))
      return {
        kind: 'other',
        at: null,
        what: `an object of the class ${one.constructor.name || 'without a name'}`,
      };
    const entries = new Map<string, ParsedEntry>();
    for (const [key, inner] of Object.entries(one) as [string, unknown][])
      // An undefined value counts as left out: `{ watch: isDevelopment ? true : undefined }`.
      if (inner !== undefined) entries.set(key, { keyAt: null, value: read(inner) });
    return { kind: 'table', at: null, entries };
  }
}

/** Whether the value is a plain object. Objects of another realm (vm), which has an Object of its own, count as well. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
