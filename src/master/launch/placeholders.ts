/**
 * `{fd}`, `{port}`, `{host}` and `{path}` in a command and in the values of its variables: facts about a listener, for programs that are told on
 * their command line where their listener is; and `{num}`, the slot of the worker. They are filled in again at every start. Pure.
 *
 * Commands have braces for other reasons, too (JSON, `${x}` of a shell, awk), so only exactly these words are replaced, and everything else stays
 * as it is. `{{port}}` stands for the text `{port}`. A word that is one typing mistake away from a placeholder is a fault.
 */
import { nearest } from '../../shared/nearest.ts';
import type { AnnouncedListener } from '../../shared/protocol.ts';

const listenerWords = ['fd', 'port', 'host', 'path'] as const;
type ListenerWord = (typeof listenerWords)[number];
type Word = ListenerWord | 'num';
export const placeholderWords: readonly Word[] = [...listenerWords, 'num'];

/** Braces around a word, with or without the name of a listener. `${port}`, `%{port}` and `#{port}` belong to other languages. */
const run = /(?<![$%#{])(\{+)([A-Za-z_]\w*)(?::([A-Za-z0-9._-]{1,64}))?(\}+)/g;

interface Run {
  readonly written: string;
  /** How many braces the two sides have in common. */
  readonly depth: number;
  readonly opening: number;
  readonly closing: number;
  readonly word: string;
  /** The name of the listener, or null for the first one. */
  readonly listener: string | null;
}

/** Replaces every text in braces that may be a placeholder. */
function replaceRuns(text: string, replace: (run: Run) => string): string {
  return text.replaceAll(
    run,
    (written: string, opening: string, word: string, listener: string | undefined, closing: string) => {
      if (!isPlaceholderWord(word)) return written;
      const depth = Math.min(opening.length, closing.length);
      return replace({
        written,
        depth,
        opening: opening.length,
        closing: closing.length,
        word,
        listener: listener ?? null,
      });
    },
  );
}

/** Whether a word in braces is a placeholder, or one typing mistake away from it. */
export function isPlaceholderWord(word: string): boolean {
  return isKnown(word) || meantBy(word) !== null;
}

function isKnown(word: string): word is Word {
  return placeholderWords.some((one) => one === word);
}

/** The shortest word that may be a mistyped placeholder: shorter words, such as `{id}`, are too close to everything. */
const minTypedLength = 3;

/** The placeholder that a word is a misspelling of, or null if it is none. */
function meantBy(word: string): string | null {
  // (NUM is too common a word of other languages.)
  if (listenerWords.some((one) => one === word.toLowerCase())) return word.toLowerCase();
  return word.length < minTypedLength ? null : nearest(word, listenerWords, 1);
}

interface NamedListener {
  readonly name: string;
  /** `fd`: an inherited socket, whose type is known when the worker is started. */
  readonly type: AnnouncedListener['type'] | 'fd';
}

export interface PlaceholderFault {
  readonly message: string;
  readonly hint: string;
}

/** What is wrong with the placeholders of a text, for a program with listeners of these names. */
export function placeholderFaults(
  text: string,
  listeners: readonly NamedListener[],
): readonly PlaceholderFault[] {
  const faults: PlaceholderFault[] = [];
  replaceRuns(text, ({ written, depth, word, listener }) => {
    if (depth === 1) faults.push(...faultsOf(word, listener, listeners));
    return written;
  });
  return faults;
}

function faultsOf(
  word: string,
  listener: string | null,
  listeners: readonly NamedListener[],
): readonly PlaceholderFault[] {
  const written = `{${word}${listener === null ? '' : `:${listener}`}}`;
  const otherwise = `for the text itself, write {${written}}`;
  if (!isKnown(word))
    return [
      {
        message: `there is no placeholder {${word}}`,
        hint: `did you mean {${meantBy(word) ?? ''}}? Or ${otherwise}`,
      },
    ];
  if (word === 'num')
    return listener === null
      ? []
      : [
          {
            message: `${written} names a listener, and {num} is the number of the worker`,
            hint: `write {num}. Or ${otherwise}`,
          },
        ];
  const fitting = listeners.filter(({ type }) => hasValue(word, type));
  if (listener === null ? fitting.length > 0 : fitting.some(({ name }) => name === listener)) return [];
  if (fitting.length === 0)
    return [
      {
        message: `${written} has no value: the program has no listener with a ${word}`,
        hint: `${word === 'path' ? 'a UNIX socket has one: listen on unix:/run/app.sock' : 'a port has one'}. Or ${otherwise}`,
      },
    ];
  const names = fitting.map(({ name }) => name);
  const meant = nearest(listener ?? '', names);
  const hint = meant === null ? `the listeners are ${names.join(', ')}.` : `did you mean {${word}:${meant}}?`;
  const isOther = listeners.some(({ name }) => name === listener);
  const fault = isOther ? `names a listener that has no ${word}` : 'names no listener of this program';
  return [{ message: `${written} ${fault}`, hint: `${hint} Or ${otherwise}` }];
}

function hasValue(word: ListenerWord, type: NamedListener['type']): boolean {
  return word === 'fd' || type === 'fd' || (word === 'path') === (type === 'unix');
}

/** Fills in the placeholders of a text. One whose listener is not bound stays as it is. */
export function fillPlaceholders(
  text: string,
  listeners: readonly AnnouncedListener[],
  slot: number,
): string {
  return replaceRuns(text, ({ written, depth, opening, closing, word, listener }) => {
    if (depth > 1) return written.slice(1, -1);
    const value = !isKnown(word) ? null : word === 'num' ? String(slot) : valueOf(word, listener, listeners);
    return value === null ? written : `${'{'.repeat(opening - 1)}${value}${'}'.repeat(closing - 1)}`;
  });
}

function valueOf(
  word: ListenerWord,
  name: string | null,
  listeners: readonly AnnouncedListener[],
): string | null {
  const fitting = listeners.filter(
    (one) => hasValue(word, one.type) && (name === null || (one.standsFor ?? one.name) === name),
  );
  const listener = (word === 'fd' ? undefined : fitting.find(({ type }) => type === 'tcp')) ?? fitting[0];
  if (listener === undefined) return null;
  if (word === 'fd') return String(listener.fd);
  if (listener.type === 'unix') return listener.path;
  return word === 'port' ? String(listener.port) : listener.host;
}

/** Whether the text has a placeholder for a descriptor. */
export function namesDescriptor(text: string): boolean {
  let isNamed = false;
  replaceRuns(text, ({ written, depth, word }) => {
    isNamed ||= depth === 1 && word === 'fd';
    return written;
  });
  return isNamed;
}

/** Escapes the placeholders of a text, so that filling them in returns the original text. */
export function escapePlaceholders(text: string): string {
  return replaceRuns(text, ({ written }) => `{${written}}`);
}
