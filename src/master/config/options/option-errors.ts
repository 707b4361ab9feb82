/** The errors of options that are wrong, named as they were written: on the command line, or in code. Pure. */
import { formatDuration } from '../../../shared/durations.ts';
import { GracefulRunError } from '../../../shared/errors.ts';
import { nearest } from '../../../shared/nearest.ts';
import type { PlanFault } from '../check-plan.ts';
import { meantValue } from './meant-value.ts';
import { optionOfKey } from './option-names.ts';
import { type PlanInvalid, planInvalid } from '../plan-invalid.ts';
import type { InapplicableTcpOption } from './tcp-options.ts';
import { programValues, wantedCommand } from './values.ts';
import type { InapplicableOption } from './inapplicable-options.ts';

/** How errors spell the name of an option: as on the command line (`--ready-timeout`), or as in code (`readyTimeout`). */
export type OptionSpelling = 'commandLine' | 'code';

export interface Spelling {
  readonly as: OptionSpelling;
  /** Null: the options are those of a master of one program. */
  readonly program: string | null;
}

/** What the schema of the options has found. */
interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly input?: unknown;
  /** Of `unrecognized_keys`. */
  readonly keys?: readonly string[];
}

export function badOption(issues: readonly Issue[], spelling: Spelling): GracefulRunError {
  const [issue] = issues;
  const type = spelling.program === null ? 'MasterOptions' : 'ProgramOptions';
  const all = spelling.as === 'code' ? `see the type ${type} for all options` : 'see graceful-run --help';
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys ?? [];
    const meant = nearest(key, Object.keys(programValues));
    return new GracefulRunError('badOption', `cannot start: there is no option ${nameOf(key, spelling)}`, {
      hint: meant === null ? all : `did you mean ${meant}?`,
    });
  }
  const [option] = issue?.path ?? [];
  const hint = valueHint(String(option ?? ''), issue?.input, spelling) ?? all;
  const given = issue?.input === undefined ? '' : `, not ${JSON.stringify(issue.input)}`;
  return new GracefulRunError(
    'badOption',
    `cannot start: ${nameOf(option, spelling)} must be ${issue?.message ?? 'something else'}${given}`,
    { hint },
  );
}

/** What to write instead of a wrong value; null: nothing is known. */
function valueHint(option: string, given: unknown, spelling: Spelling): string | null {
  const meant = meantValue(option, given);
  if (spelling.as === 'code') return meant === null ? null : `did you mean '${meant}'?`;
  if (meant !== null) return `did you mean ${nameOf(option, spelling)} ${meant}?`;
  // A list takes every word up to the dashes, also those of a command.
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
  { option, message, hint }: InapplicableTcpOption | InapplicableOption,
  spelling: Spelling,
): GracefulRunError {
  return new GracefulRunError('badOption', `cannot start: ${nameOf(option, spelling)} ${message}`, { hint });
}

/** An option whose value is right by itself, but not for this program. */
export class OptionUnsuitable extends GracefulRunError {
  /** As code spells it. */
  readonly option: string;
  /** Without the option. */
  readonly problem: string;

  constructor(option: string, problem: string, spelling: Spelling, hint: string) {
    super('badOption', `cannot start: ${nameOf(option, spelling)} ${problem}`, { hint });
    this.option = option;
    this.problem = problem;
  }
}

/** An option that needs an address, or that a program with one cannot have. */
export function withoutAddress(
  option: string,
  reason: string,
  spelling: Spelling,
  hint = 'leave it out, or choose another type: server, worker or oneshot',
): OptionUnsuitable {
  return new OptionUnsuitable(option, `does not fit: ${reason}`, spelling, hint);
}

/** No path is safe to guess: the front page may be the most expensive one, and may write to a database. */
export function warmupWithoutPath(spelling: Spelling): GracefulRunError {
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

/** A program would write its newline into the listener. */
export function descriptorTaken(fd: number, channel: number, spelling: Spelling): OptionUnsuitable {
  return new OptionUnsuitable(
    'ready',
    `cannot be fd:${fd}: descriptors 3 to ${channel} of a worker are its listeners and the channel`,
    spelling,
    `name a higher one: fd:${channel + 1}`,
  );
}

/** All of its listeners are of UDP. */
export function noServerToAsk(path: string, spelling: Spelling): OptionUnsuitable {
  return new OptionUnsuitable(
    'ready',
    `cannot be http:${path}: the program has only UDP listeners, and HTTP needs one of TCP or a UNIX socket`,
    spelling,
    'ask a port of its own (http://127.0.0.1:9000/healthz), or leave it at auto',
  );
}

/** No worker would ever be ready in time. */
export function delayTooLong(delayMs: number, readyTimeoutMs: number, spelling: Spelling): OptionUnsuitable {
  const delay = formatDuration(delayMs);
  return new OptionUnsuitable(
    'ready',
    `cannot be delay:${delay}: a worker has to be ready in less than ${formatDuration(readyTimeoutMs)}, the ready timeout`,
    spelling,
    `raise ready_timeout (--ready-timeout) above ${delay}, or choose a shorter delay`,
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

/** As `--check` names it too. */
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

/** A program, as code would get at it: `programs.shop`. */
export function inCode(program: string): string {
  return /^[A-Za-z_]\w*$/.test(program) ? `programs.${program}` : `programs[${JSON.stringify(program)}]`;
}

function nameOf(option: PropertyKey | undefined, { as, program }: Spelling): string {
  const name = String(option ?? '');
  if (as === 'code') return keyInCode({ program, option: name, item: null }) ?? name;
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
