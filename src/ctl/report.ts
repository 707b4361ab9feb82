/** How the commands that change something (reload, scale, stop) tell what has come of it: as a sentence, or as one line of JSON. */
import type {
  ReloadAccepted,
  ReloadResult,
  ReloadWait,
  Scaled,
  StopAccepted,
} from '../shared/control-api.ts';
import { type ErrorCode, GracefulRunError, messageOf } from '../shared/errors.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './ctl-exit-codes.ts';
import { findMaster, type FoundMaster, type Search } from './find-master.ts';
import { ReloadFailure } from './reload-failure.ts';
import type { Terminal } from './output-streams.ts';

/** What a command has achieved. */
export interface Achieved {
  readonly state: 'accepted' | ReloadWait | 'stopped';
  /** The master's answer. */
  readonly result: ReloadAccepted | ReloadResult | Scaled | StopAccepted;
  /** The same for a person, without a line break. */
  readonly text: string;
}

/** What `--json` prints for reload, scale and stop, whatever happens: one line of this shape. */
export interface Report {
  readonly command: 'reload' | 'scale' | 'stop';
  readonly ok: boolean;
  /** The exit code of gracefulctl. */
  readonly exitCode: ExitCode;
  /** Null: no master was found. */
  readonly program: string | null;
  /** How far it has come: `failed`, or what it has waited for. */
  readonly state: Achieved['state'] | 'failed';
  /** The master's answer; null when it has not given one. */
  readonly result: Achieved['result'] | null;
  readonly error: {
    readonly code: ErrorCode | 'internalError';
    readonly message: string;
    readonly hint: string | null;
  } | null;
}

/** Finds the master, carries `action` out and prints what has come of it. Rejects with the error unless JSON is wanted. */
export async function reporting(
  name: string | null,
  search: Search,
  command: { readonly kind: Report['command']; readonly json: boolean },
  terminal: Terminal,
  action: (master: FoundMaster) => Promise<Achieved>,
): Promise<ExitCode> {
  let master: FoundMaster | null = null;
  const report = (known: Pick<Report, 'exitCode' | 'state' | 'result' | 'error'>): void => {
    const program = master?.name ?? null;
    const line: Report = { command: command.kind, ok: known.error === null, program, ...known };
    terminal.out(`${JSON.stringify(line)}\n`);
  };
  try {
    master = await findMaster(name, search);
    const { state, result, text } = await action(master);
    if (command.json) report({ exitCode: exitCodes.done, state, result, error: null });
    else terminal.out(`${text}\n`);
    return exitCodes.done;
  } catch (error) {
    if (!command.json) throw error;
    const exitCode = exitCodeOf(error);
    const result = error instanceof ReloadFailure ? error.result : null;
    report({ exitCode, state: 'failed', result, error: describeError(error) });
    return exitCode;
  }
}

function describeError(error: unknown): Report['error'] {
  return error instanceof GracefulRunError
    ? { code: error.code, message: error.message, hint: error.hint }
    : { code: 'internalError', message: messageOf(error), hint: null };
}
