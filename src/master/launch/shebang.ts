/** The first line of a script, `#!interpreter argument`, as the kernel (execve(2)) and env(1) read it. Pure. */
import { isAssignment, splitWords } from './split-words.ts';

export interface Shebang {
  /** The program that the kernel starts. */
  readonly file: string;
  /** The rest of the line: the kernel passes it as one argument, with the carriage return of a Windows text. */
  readonly argument: string;
}

/** Parses the first line of a text; null if it is not a shebang. */
export function parseShebang(text: string): Shebang | null {
  const match = /^#![ \t]*([^ \t\n]+)[ \t]*([^\n]*)/.exec(text);
  const [, file, argument] = match ?? [];
  return file === undefined || argument === undefined
    ? null
    : { file, argument: argument.replace(/[ \t]+$/, '') };
}

/** The name of the interpreter that runs the script in the end: `node` for `#!/usr/bin/env -S FOO=1 node --enable-source-maps`. */
export function interpreterOf(shebang: Shebang): string {
  const name = lastPart(shebang.file);
  if (name !== 'env') return name;
  const words = splitWords(shebang.argument.replace(/^-S(?=\S)/, '-S '));
  const first = words.find((word) => !word.startsWith('-') && !isAssignment(word));
  return first === undefined ? name : lastPart(first);
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
