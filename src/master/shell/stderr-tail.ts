/** Remembers the last lines of a stream of text: a worker's last words. Bounded in lines and in their length. */

const maxLines = 20;
const maxLineLength = 2_000;

export interface StderrTail {
  add(text: string): void;
  /** The last 20 lines, oldest first; a line that has not ended yet counts. */
  lines(): readonly string[];
}

export function createStderrTail(): StderrTail {
  let complete: string[] = [];
  let partial = '';
  return {
    add: (text) => {
      const lines = (partial + text).split('\n');
      partial = (lines.pop() ?? '').slice(0, maxLineLength);
      complete = [...complete, ...lines.slice(-maxLines).map((line) => line.slice(0, maxLineLength))].slice(
        -maxLines,
      );
    },
    lines: () => (partial === '' ? complete : [...complete, partial].slice(-maxLines)),
  };
}
