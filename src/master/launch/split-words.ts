/**
 * The words of a command line as a POSIX shell splits it, for the scripts of a package.json. Pure. It expands nothing: a `$NAME`
 * stays as it is, so a path that contains one will not be found.
 */

const operators: ReadonlySet<string> = new Set(['&&', '||', ';', '|', '&', '\n']);

/** A space, an operator, or a piece of a word: quoted, escaped or plain. */
const token =
  /(?<space>[ \t\r]+)|(?<operator>&&|\|\||[;|&\n])|'(?<single>[^']*)'|"(?<double>(?:\\.|[^"\\])*)"|\\(?<escaped>.)|(?<plain>[^\s;|&'"\\]+|.)/gs;

/**
 * The words of the first command in a line. An operator (`&&`, `|` …) that is not quoted ends it.
 */
export function splitWords(line: string): readonly string[] {
  return splitCommands(line)[0]?.words ?? [];
}

export type ShellWords =
  { readonly words: readonly string[] } | { readonly fault: string; readonly hint: string };

/** The words of a line that is run without a shell, or a fault if the line needs a shell. */
export function shellWords(line: string): ShellWords {
  const throughShell = 'to run it by a shell: command = ["sh", "-c", "…"]';
  const [first, second] = splitCommands(line.trim());
  if (second !== undefined)
    return {
      fault: `cannot have ${second.after === '\n' ? 'a second line' : second.after}: no shell runs it`,
      hint: throughShell,
    };
  for (const { groups } of line.matchAll(token)) {
    const { plain } = groups ?? {};
    if (plain === "'" || plain === '"')
      return {
        fault: `has no closing ${plain}`,
        hint: `a word may be in quotes; write \\${plain} for the character itself`,
      };
    if (plain === '\\')
      return { fault: 'ends in a backslash', hint: 'write it twice for the character itself' };
    if (plain !== undefined && /^\d*[<>]/.test(plain))
      return { fault: `cannot have ${plain}: no shell runs it`, hint: throughShell };
  }
  const words = first?.words ?? [];
  if (words[0] !== undefined && isAssignment(words[0]))
    return {
      fault: `cannot set a variable (${words[0].replace(/=.*/s, '')}): no shell runs it`,
      hint: 'put it into environment',
    };
  return { words };
}

interface Simple {
  readonly words: string[];
  /** The operator that separates the command from the one before it. Empty for the first one. */
  readonly after: string;
}

/**
 * The words of the command that keeps running at the end of a line: the last one of `a && b ; c` and, in a pipeline, the first one (`node app.js |
 * pino-pretty`).
 */
export function lastCommand(line: string): readonly string[] {
  let last: readonly string[] = [];
  for (const { words, after } of splitCommands(line)) {
    if (words.length > 0 && after !== '|') last = words;
  }
  return last;
}

function splitCommands(line: string): readonly Simple[] {
  let current: Simple = { words: [], after: '' };
  const commands = [current];
  let word: string | null = null;
  const endWord = (): void => {
    if (word !== null) current.words.push(word);
    word = null;
  };
  for (const { groups } of line.matchAll(token)) {
    const { space, operator, single, double, escaped, plain } = groups ?? {};
    if (space !== undefined) endWord();
    else if (operator !== undefined && operators.has(operator)) {
      endWord();
      current = { words: [], after: operator };
      commands.push(current);
    } else {
      word = (word ?? '') + (single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '');
    }
  }
  endWord();
  return commands;
}

/** Whether a word sets a variable for the command after it: `NODE_ENV=production`. */
export function isAssignment(word: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*=/.test(word);
}
