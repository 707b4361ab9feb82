/** Splits text that arrives in pieces into lines. Pure. */

export interface LineSplitter {
  /** Adds text, and returns the lines that it completes, without their line feeds. */
  add(text: string): readonly string[];
  /** Returns the beginning of a line that has not ended yet. */
  rest(): string;
}

/**
 * Makes a splitter that holds at most one line. A line of `maxLength` characters or more is returned as soon as it reaches that length, cut to it;
 * the rest of that line is dropped.
 */
export function createLineSplitter(maxLength: number = Infinity): LineSplitter {
  let rest = '';
  let isSkipping = false;

  return {
    add: (text) => {
      let added = text;
      if (isSkipping) {
        const end = text.indexOf('\n');
        if (end === -1) return [];
        isSkipping = false;
        added = text.slice(end + 1);
      }
      // Without a line feed the text is only appended: to split a long line again at each piece would take quadratic time.
      const lines = added.includes('\n') ? (rest + added).split('\n') : [rest + added];
      rest = lines.pop() ?? '';
      if (rest.length >= maxLength) {
        lines.push(rest);
        rest = '';
        isSkipping = true;
      }
      return maxLength === Infinity ? lines : lines.map((line) => line.slice(0, maxLength));
    },
    rest: () => rest,
  };
}
