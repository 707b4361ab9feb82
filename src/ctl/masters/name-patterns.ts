/** Names as the command line writes them: `shop`, `'web-*'`. Pure. */

/** Whether the word is a pattern: `*` is any characters, `?` is one, `[abc]` is one of these. */
export function isPattern(word: string): boolean {
  return /[*?[]/.test(word);
}

export function matchesName(word: string, name: string): boolean {
  return isPattern(word) ? expressionOf(word).test(name) : word === name;
}

function expressionOf(pattern: string): RegExp {
  const source = pattern.replace(/\[([^\]]*)\]|[*?]|[\\^$.|+(){}[\]]/g, (part, set: string | undefined) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (set === undefined || set === '') return part.replace(/[^]/g, '\\$&');
    const isNegated = /^[!^]/.test(set);
    return `[${isNegated ? '^' : ''}${set.slice(isNegated ? 1 : 0).replace(/[\\^[\]]/g, '\\$&')}]`;
  });
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    // The range has the wrong order, as in [z-a], so the pattern matches nothing.
    return /(?!)/;
  }
}
