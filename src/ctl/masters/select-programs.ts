/**
 * Selects the programs that the words of a command line name. One master of many programs and many masters of one program look the same: a word is
 * looked for among all programs first, then among the masters. Pure.
 */
import type { Status } from '../../shared/control-api.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { nearest } from '../../shared/nearest.ts';
import { type AnsweringMaster, isAnswering, type ListedMaster } from './listed-masters.ts';
import { isPattern, matchesName } from './name-patterns.ts';
import { listOf, type Selection, silentOf, type Wanted } from './selection.ts';
import type { Spell } from './spelling.ts';

/** A program of a master. */
export interface FoundProgram {
  readonly master: AnsweringMaster;
  readonly status: Status;
  readonly raw: Readonly<Record<string, unknown>>;
  /** The name of the program on the command line: its own, or `master:program` if that alone would name other programs, too. */
  readonly label: string;
}

/** Returns every program, in the order of the masters' names and of their plans. */
export function allPrograms(masters: readonly ListedMaster[]): readonly FoundProgram[] {
  const answering = masters.filter(isAnswering);
  const names = answering.flatMap(({ programs }) => programs.map(({ program }) => program));
  return answering.flatMap((master) =>
    master.programs.map((status, index) => {
      const { program } = status;
      const isUnique = names.filter((name) => name === program).length === 1;
      return {
        master,
        status,
        raw: master.raw[index] ?? {},
        label: isUnique ? program : `${master.name}:${program}`,
      };
    }),
  );
}

/**
 * Returns the programs that the words name; without a word, the only one. `takes: 'any'` is for commands that change nothing: a word may name several
 * programs, and no word names all. @throws GracefulRunError programAmbiguous; without a word also programNotFound, and the error of the only master.
 */
export function selectPrograms(
  masters: readonly ListedMaster[],
  wanted: Wanted,
  spell: Spell,
  takes: 'one' | 'any',
): Selection<FoundProgram> {
  const programs = allPrograms(masters);
  if (wanted.all || (wanted.words.length === 0 && takes === 'any')) {
    const missing = silentOf(masters);
    if (takes === 'one' && programs.length === 0 && missing.length === 0) throw noPrograms();
    return { found: programs, missing };
  }
  if (wanted.words.length === 0) return { found: [onlyProgram(masters, programs, spell)], missing: [] };
  const chosen = wanted.words.map((word) => ({ word, meant: meantBy(word, programs) }));
  for (const { word, meant } of chosen)
    if (takes === 'one' && !isPattern(word) && meant.length > 1) throw ambiguous(word, meant, spell);
  const isMeant = new Set(chosen.flatMap(({ meant }) => meant));
  return {
    found: programs.filter((program) => isMeant.has(program)),
    missing: chosen
      .filter(({ meant }) => meant.length === 0)
      .map(({ word }) => ({
        word,
        error: silentError(word, masters) ?? unknownProgram(word, masters, programs, spell),
      })),
  };
}

function onlyProgram(
  masters: readonly ListedMaster[],
  programs: readonly FoundProgram[],
  spell: Spell,
): FoundProgram {
  const [only, another] = programs;
  const silent = silentOf(masters);
  const [first] = silent;
  if (only === undefined) {
    throw first === undefined ? noPrograms() : first.error;
  }
  if (another === undefined && first === undefined) return only;
  const names = [...programs.map(({ label }) => label), ...silent.map(({ word }) => word)];
  throw new GracefulRunError(
    'programAmbiguous',
    `cannot choose among ${names.length} programs: ${listOf(names)}`,
    { hint: hintOf(programs, spell, '--all') },
  );
}

function noPrograms(): GracefulRunError {
  return new GracefulRunError('programNotFound', 'cannot find a program: the masters that run have none', {
    hint: 'see gracefulctl list',
  });
}

/**
 * Returns the programs that a word names. The word can be read in several ways, which are tried in order: the first way that finds programs counts.
 * With a pattern before the colon, masters and groups count together.
 */
function meantBy(word: string, programs: readonly FoundProgram[]): readonly FoundProgram[] {
  const parts = word.split(':');
  const [first = '', second = '', third] = parts;
  const isOf = (owner: string, program: string, name: string, status: Status): boolean =>
    matchesName(owner, name) && matchesName(program, status.program);
  if (third !== undefined)
    return parts.length > 3
      ? []
      : programs.filter(
          ({ master, status }) =>
            matchesName(first, master.name) && isOf(second, third, groupOf(status), status),
        );
  if (parts.length === 1) {
    const named = programs.filter(({ status }) => matchesName(word, status.program));
    return named.length > 0 ? named : programs.filter(({ master }) => matchesName(word, master.name));
  }
  const ofMasters = programs.filter(({ master, status }) => isOf(first, second, master.name, status));
  const ofGroups = programs.filter(
    ({ status }) => status.group !== null && isOf(first, second, status.group, status),
  );
  const ofThemselves = programs.filter(({ status }) => isOf(first, second, groupOf(status), status));
  if (isPattern(first)) return [...new Set([...ofMasters, ...ofThemselves])];
  // The tables print `master:program`, so that reading comes first; with a pattern for the program, a group does.
  const kinds = isPattern(second) ? [ofGroups, ofMasters] : [ofMasters, ofGroups];
  return [...kinds, ofThemselves].find((kind) => kind.length > 0) ?? [];
}

/** Returns the group of a program. As in Supervisor, a program without a group is a group by itself. */
function groupOf({ group, program }: Status): string {
  return group ?? program;
}

/** Returns the error of the master that a word names, if that master does not answer. */
function silentError(word: string, masters: readonly ListedMaster[]): GracefulRunError | null {
  const [masterWord = ''] = word.split(':');
  const named = masters.find((master) => !isAnswering(master) && matchesName(masterWord, master.name));
  return named === undefined || isAnswering(named) ? null : named.error;
}

function ambiguous(word: string, meant: readonly FoundProgram[], spell: Spell): GracefulRunError {
  const masters = [...new Set(meant.map(({ master }) => master.name))];
  const isMaster = masters.length === 1;
  return new GracefulRunError(
    'programAmbiguous',
    isMaster
      ? `cannot choose among the ${meant.length} programs of the master ${word}: ${listOf(meant.map(({ label }) => label))}`
      : `cannot choose a program: there is a ${word} under each of the masters ${listOf(masters)}`,
    {
      hint: hintOf(meant, spell, isMaster ? `'${word}:*'` : null),
    },
  );
}

/** Suggests a program that keeps running, if there is one, and all of them only if none is a oneshot: the command might run that again. */
function hintOf(programs: readonly FoundProgram[], spell: Spell, all: string | null): string {
  const lasting = programs.filter(({ status }) => status.type !== 'oneshot');
  const example = lasting.find(({ status }) => status.type === 'server') ?? lasting[0] ?? programs[0];
  const one = `name one of them: ${spell(example?.label ?? '')}`;
  return all === null || lasting.length < programs.length ? one : `${one}; or all: ${spell(all)}`;
}

function unknownProgram(
  word: string,
  masters: readonly ListedMaster[],
  programs: readonly FoundProgram[],
  spell: Spell,
): GracefulRunError {
  const names = programs.map(({ label }) => label);
  const owners = masters.map(({ name }) => name);
  const groups = programs.flatMap(({ status: { group } }) => group ?? []);
  const close = isPattern(word)
    ? nearest(
        word,
        [...owners, ...groups].map((owner) => `${owner}:*`),
      )
    : nearest(word, [...names, ...programs.map(({ status }) => status.program), ...owners]);
  const what = isPattern(word) ? `no name matches ${word}` : `none is called ${word}`;
  if (programs.some(({ status }) => status.group === word))
    return new GracefulRunError('programNotFound', `cannot find a program: ${word} is a group`, {
      hint: `all of its programs: ${spell(`'${word}:*'`)}`,
    });
  return new GracefulRunError('programNotFound', `cannot find a program: ${what}`, {
    hint:
      close !== null
        ? `did you mean ${spell(isPattern(close) ? `'${close}'` : close)}?`
        : [
            names.length === 0
              ? 'there are none'
              : names.length === 1
                ? `the only one is ${listOf(names)}`
                : `there are ${listOf(names)}`,
            ...silentOf(masters).map(({ word: master }) => `the master ${master} does not answer`),
          ].join('; '),
  });
}
