/**
 * Passes text on in whole lines: what a worker has begun to write and what the log says next must not become one line.
 */

export interface LineForwarder {
  add(text: string): void;
  /** Nothing more comes: passes on what has no line end yet, with one. */
  end(): void;
}

/** A line that is longer than this is passed on in pieces. */
const maxHeldLength = 64 * 1024;

export function forwardWholeLines(forward: (text: string) => void): LineForwarder {
  let held = '';
  const flush = (): void => {
    if (held !== '') forward(`${held}\n`);
    held = '';
  };
  return {
    add: (text) => {
      const end = text.lastIndexOf('\n') + 1;
      if (end > 0) {
        forward(held + text.slice(0, end));
        held = text.slice(end);
      } else held += text;
      if (held.length > maxHeldLength) flush();
    },
    end: flush,
  };
}
