/** The errors of options that are wrong, named as they were written: on the command line, or in code. Pure. */
import { GracefulRunError } from '../../../shared/errors.ts';
import { nearest } from '../../../shared/nearest.ts';
import type { PlanFault } from '../check-plan.ts';
import { meantValue } from './meant-value.ts';
import { optionOfKey } from './option-names.ts';
import { type PlanInvalid, planInvalid } from '../plan-invalid.ts';
import { programValues, wantedCommand } from './values.ts';
import type { InapplicableOption } from './inapplicable-options.ts';

/** How errors spell the name of an option: as on the command line (`--ready-timeout`), or as in code (`readyTimeout`). */
export type OptionSpelling = 'commandLine' | 'code';

export interface Spelling {
  readonly as: OptionSpelling;
  /** The name of the program, or null for the options of a master of one program. */
  readonly program: string | null;
}

/** A fault that the schema of the options has found. */
interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly input?: unknown;
  /** The unknown keys, if `code` is `unrecognized_keys`. */
  readonly keys?: readonly string[];
}

/** Thrown when the schema refuses options. The message names the first one. */
export class BadOption extends GracefulRunError {
  readonly issues: readonly Issue[];

  constructor(message: string, hint: string, issues: readonly Issue[]) {
    super('badOption', message, { hint });
    this.issues = issues;
  }
}

export function badOption(issues: readonly Issue[], spelling: Spelling): BadOption {
  const [issue] = issues;
  const type = spelling.program === null ? 'MasterOptions' : 'ProgramOptions';
  const all = spelling.as === 'code' ? `see the type ${type} for all options` : 'see graceful-run --help';
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys ?? [];
    const meant = nearest(key, Object.keys(programValues));
    return new BadOption(
      `cannot start: there is no option ${nameOf(key, spelling)}`,
      meant === null ? all : `did you mean ${meant}?`,
      issues,
    );
  }
  const [option] = issue?.path ?? [];
  const given = issue?.input === undefined ? '' : `, not ${JSON.stringify(issue.input)}`;
  return new BadOption(
    `cannot start: ${nameOf(option, spelling)} must be ${issue?.message ?? 'something else'}${given}`,
    valueHint(String(option ?? ''), issue?.input, spelling) ?? all,
    issues,
  );
}

/** What to write instead of a wrong value; null if that cannot be told. */
function valueHint(option: string, given: unknown, spelling: Spelling): string | null {
  const meant = meantValue(option, given);
  if (spelling.as === 'code') return meant === null ? null : `did you mean '${meant}'?`;
  if (meant !== null) return `did you mean ${nameOf(option, spelling)} ${meant}?`;
  // --listen takes every word up to the two dashes, also the words of a command.
  return option === 'listen'
    ? 'put the command after the addresses and two dashes: graceful-run --listen 3000 3001 -- node app.js'
    : null;
}

export function commandMissing({ as, program }: Spelling): GracefulRunError {
  return new GracefulRunError(
    'commandMissing',
    `cannot start: there is no command to run${program === null ? '' : ` in ${inCode(program)}`}`,
    {
      hint:
        as === 'code'
          ? `command is ${wantedCommand}`
          : 'put it after the options and two dashes: graceful-run --port 10086 -- node app.js',
    },
  );
}

export function portMissing(spelling: Spelling): GracefulRunError {
  return new GracefulRunError('badOption', `cannot start: ${nameOf('port', spelling)} is missing`, {
    hint:
      spelling.as === 'code'
        ? 'give the port that the program listens on: port: 10086'
        : 'give the port that the program listens on: graceful-run --port 10086 -- node app.js',
  });
}

export function nameMissing(): GracefulRunError {
  return new GracefulRunError('badOption', 'cannot start: name is missing', {
    hint: "a master of several programs needs a name of its own, by which gracefulctl finds it: name: 'shop'",
  });
}

export function addressTwice(spelling: Spelling): GracefulRunError {
  return new GracefulRunError(
    'badOption',
    `cannot start: ${nameOf('listen', spelling)} cannot be combined with ${nameOf('port', spelling)}`,
    { hint: `give every address with ${nameOf('listen', { ...spelling, program: null })}` },
  );
}

export function notApplicable(
  { option, message, hint }: InapplicableOption,
  spelling: Spelling,
): GracefulRunError {
  if (option === 'warmup') return warmupWithoutPath(spelling);
  return new GracefulRunError('badOption', `cannot start: ${nameOf(option, spelling)} ${message}`, { hint });
}

/** The error of `warmup` without a path. It suggests none, because none is safe to guess: the front page may be expensive, or write to a database. */
function warmupWithoutPath(spelling: Spelling): GracefulRunError {
  const { option, hint } =
    spelling.as === 'code'
      ? { option: 'ready', hint: "name the path: ready: 'http:/healthz'" }
      : { option: '--ready', hint: 'name the path: --ready http:/healthz' };
  return new GracefulRunError(
    'badOption',
    `cannot start: ${nameOf('warmup', spelling)} needs a path, which ${option} sets`,
    { hint },
  );
}

/** How a plan was written. */
export interface WrittenPlan {
  readonly as: OptionSpelling;
  /** Whether there is a table of programs. */
  readonly hasTable: boolean;
  /** Whether the address of a program was given as `port`. */
  readonly hasPort: (program: string | null) => boolean;
}

export function planFaulty(
  faults: readonly PlanFault[],
  programs: readonly { readonly name: string | null }[],
  { as, hasTable, hasPort }: WrittenPlan,
): PlanInvalid {
  return planInvalid(
    null,
    faults.map((fault) => {
      const { program: index, message } = fault;
      const program = index === null ? null : (programs[index]?.name ?? null);
      const { option, item } = placeOf(fault, index !== null && hasPort(program));
      return {
        file: null,
        line: null,
        column: null,
        key:
          as === 'commandLine'
            ? keyOnCommandLine(option)
            : keyInCode({ program: hasTable ? program : null, option, item }),
        message,
        hint: index === null ? example : fault.hint,
      };
    }),
  );
}

/** The name of the option on the command line, as `--check` writes it, too. */
function keyOnCommandLine(option: string | null): string | null {
  if (option === null || option === 'command') return option;
  return nameOf(option, { as: 'commandLine', program: null });
}

const example = "add one: programs: { shop: { command: ['node', 'shop.js'], port: 3000 } }";

function placeOf({ key, item }: PlanFault, isPort: boolean): Omit<Place, 'program'> {
  if (key === 'listen' && isPort) return { option: 'port', item: null };
  return { option: key === null ? null : optionOfKey(key), item };
}

interface Place {
  readonly program: string | null;
  readonly option: string | null;
  readonly item: number | string | null;
}

function keyInCode({ program, option, item }: Place): string | null {
  const owner = program === null ? [] : [inCode(program)];
  const place = [...owner, ...(option === null ? [] : [option])].join('.');
  return place === ''
    ? null
    : `${place}${option === null || item === null ? '' : `[${JSON.stringify(item)}]`}`;
}

/** The path of a program in the options of code: `programs.shop`. */
export function inCode(program: string): string {
  return /^[A-Za-z_]\w*$/.test(program) ? `programs.${program}` : `programs[${JSON.stringify(program)}]`;
}

function nameOf(option: PropertyKey | undefined, { as, program }: Spelling): string {
  const name = String(option ?? '');
  if (as === 'code') return keyInCode({ program, option: name, item: null }) ?? name;
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
