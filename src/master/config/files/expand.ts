/**
 * Replaces what a text of a config file refers to: `${NAME}` and `${NAME:-default}` (variables of the environment), `{here}` (the folder
 * of the file that says it), `{name}` (the program's name). `$$` is a dollar, `{{` a brace. What was put in is not read again. The placeholders
 * of a command (`{port}`, `{{port}}`: ../../launch/placeholders.ts) stay as they are, and so does `{num}` in the name of a log file. Pure.
 */
import { nearest } from '../../../shared/nearest.ts';
import { escapePlaceholders, isPlaceholderWord, placeholderWords } from '../../launch/placeholders.ts';

export interface References {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly here: string;
  /** The name of the program, or null if the text belongs to no program. */
  readonly program: string | null;
  /**
   * Texts with placeholders that stay until a worker is started: `command` for a command or a variable of its environment, `logfile` for the path of a log
   * file.
   */
  readonly belongsTo: 'command' | 'logfile' | null;
}

export interface ExpansionFault {
  readonly message: string;
  readonly hint: string | null;
}

export interface Expansion {
  readonly text: string;
  readonly faults: readonly ExpansionFault[];
}

/** Whether a part of the text comes from the environment, and should not be shown. */
export function refersToVariable(text: string): boolean {
  return /(?:^|[^$])(?:\$\$)*\$\{/.test(text);
}

const token = /\$\$\{?|\$\{|\{+(?<word>[A-Za-z_]\w*)(?<listener>:[A-Za-z0-9._-]{1,64})?\}+|\{\{/g;

export function expand(text: string, references: References): Expansion {
  const faults: ExpansionFault[] = [];
  const expanded = replace(text, references, faults);
  return { text: expanded, faults };
}

function replace(text: string, references: References, faults: ExpansionFault[]): string {
  let result = '';
  let at = 0;
  for (;;) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) return result + text.slice(at);
    result += text.slice(at, match.index);
    at = token.lastIndex;
    const [found] = match;
    const { word, listener } = match.groups ?? {};
    if (found === '$$' || found === '$${') result += found.slice(1);
    else if (word !== undefined && isForLater(found, word, references)) result += found;
    else if (found.startsWith('{{')) {
      result += '{';
      at = match.index + 2;
    } else if (found === '${') {
      const end = closingBrace(text, at);
      if (end === null) {
        faults.push({ message: '${ has no closing brace', hint: 'write $${ for a dollar and a brace' });
        return result;
      }
      result += variable(text.slice(at, end), references, faults);
      at = end + 1;
    } else if (word === undefined || listener !== undefined) result += found;
    else {
      result += placeholder(word, references, faults);
      at = match.index + word.length + 2;
    }
  }
}

/** Whether the placeholder is filled in when a worker is started. */
function isForLater(found: string, word: string, { belongsTo }: References): boolean {
  return belongsTo === 'command' ? isPlaceholderWord(word) : belongsTo === 'logfile' && found === '{num}';
}

/** Finds the closing brace of a reference. Its default may have braces itself: `${A:-${B:-{name}}}`. */
function closingBrace(text: string, from: number): number | null {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('$$', at) || text.startsWith('{{', at)) at += 1;
    else if (text[at] === '{') depth += 1;
    else if (text[at] === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return null;
}

function variable(inside: string, references: References, faults: ExpansionFault[]): string {
  const [, name, fallback] = /^([A-Za-z_]\w*)(?::-([^]*))?$/.exec(inside) ?? [];
  if (name === undefined) {
    const written = inside.length > 40 ? `${inside.slice(0, 40)}…` : inside;
    faults.push({
      message: `\${${written}} is not a variable`,
      hint: 'write ${NAME} or ${NAME:-default}, and $${ for a dollar and a brace',
    });
    return '';
  }
  const value = Object.hasOwn(references.environment, name) ? references.environment[name] : undefined;
  if (fallback !== undefined)
    return value === undefined || value === ''
      ? replace(fallback, references, faults)
      : asItIs(value, references);
  if (value === undefined)
    faults.push({
      message: `the environment variable ${name} is not set`,
      hint: `set it, or give a default: \${${name}:-default}`,
    });
  return asItIs(value ?? '', references);
}

function asItIs(value: string, { belongsTo }: References): string {
  return belongsTo === 'command' ? escapePlaceholders(value) : value;
}

function placeholder(
  word: string,
  { here, program, belongsTo }: References,
  faults: ExpansionFault[],
): string {
  if (word === 'here') return here;
  if (word === 'name' && program !== null) return program;
  if (word === 'name') {
    faults.push({
      message: '{name} has no value here',
      hint: 'use it only in [program.NAME] and [defaults]',
    });
    return '';
  }
  const words = ['name', 'here', ...laterWords(belongsTo)];
  const meant = nearest(word, words);
  const known = words.map((one) => `{${one}}`);
  const instead = isPlaceholderWord(word)
    ? `it has a value only in ${word === 'num' ? 'command, environment, stdout_logfile and stderr_logfile' : 'command and environment'}.`
    : meant === null
      ? `the placeholders are ${known.slice(0, -1).join(', ')} and ${known.at(-1) ?? ''}.`
      : `did you mean {${meant}}?`;
  faults.push({
    message: `there is no placeholder {${word}}`,
    hint: `${instead} For the text itself, write {{${word}}`,
  });
  return '';
}

function laterWords(belongsTo: References['belongsTo']): readonly string[] {
  return belongsTo === 'command' ? placeholderWords : belongsTo === 'logfile' ? ['num'] : [];
}
