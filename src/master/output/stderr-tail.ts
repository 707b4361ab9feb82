/**
 * Remembers how a worker's output ended: its last lines, and the line that names the error, which a long trace would push out.
 * Bounded in lines and in their length.
 */
import { StringDecoder } from 'node:string_decoder';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { followsError, namesError } from '../../shared/error-line.ts';

const maxLines = 20;
const maxLineLength = 2_000;
const lookedAt = 200;

export interface StderrTail {
  add(bytes: Uint8Array): void;
  /**
   * The last 20 lines, oldest first. A line that has not ended yet counts. If the line that names the error is older, it takes the first place, and a line
   * with an ellipsis the second.
   */
  lines(): readonly string[];
}

export function createStderrTail(): StderrTail {
  // Created at the first output, because many workers never write to stderr.
  let memory: StderrTail | null = null;
  return {
    add: (bytes) => {
      memory ??= createMemory();
      memory.add(bytes);
    },
    lines: () => memory?.lines() ?? [],
  };
}

function createMemory(): StderrTail {
  const decoder = new StringDecoder('utf8');
  let complete: string[] = [];
  const splitter = createLineSplitter(maxLineLength);
  /** The line that names the error, as long as only lines that belong to it have followed; null if there is none. */
  let error: string | null = null;

  const take = (line: string): void => {
    complete.push(line);
    if (namesError(line)) error = line;
    else if (!followsError(line)) error = null;
  };

  return {
    add: (bytes) => {
      const lines = splitter.add(decoder.write(bytes));
      // Enough for any trace. More lines at once are a flood, of which only the last ones are examined.
      for (const line of lines.slice(-lookedAt)) take(line.replace(/\r$/, ''));
      complete = complete.slice(-maxLines);
    },
    lines: () => {
      const partial = splitter.rest();
      const all = partial === '' ? complete : [...complete, partial].slice(-maxLines);
      if (error === null || all.includes(error) || !followsError(partial)) return all;
      return [error, '    …', ...all.slice(2)];
    },
  };
}
