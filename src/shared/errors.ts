/**
 * The one error class and its closed set of codes. Every code has its paragraph in docs/errors.md.
 */
import type { PlanProblem } from './control-api.ts';

/** Every way in which graceful-run refuses or fails. Stable: scripts may depend on them. */
export const errorCodes = [
  'badOption',
  'commandMissing',
  'commandNotFound',
  'commandNotExecutable',
  'cwdMissing',
  'envFileUnreadable',
  'userUnusable',
  'toolMissing',
  'logFileUnusable',
  'hookFailed',
  'addressInUse',
  'addressUnusable',
  'platformUnsupported',
  'nameTaken',
  'controlSocketUnusable',
  'startFailed',
  'reloadFailed',
  'upgradeFailed',
  'masterStopped',
  'planInvalid',
  'noConfigFile',
  'programNotFound',
  'programAmbiguous',
  'programStopped',
  'noRollout',
  'masterNotFound',
  'masterAmbiguous',
  'masterForbidden',
  'masterUnreachable',
  'controlRequestRejected',
  'notWatchable',
  'workerMisuse',
  'nobodyToAdopt',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * An error for a person: `message` is "cannot X: reason", `hint` says what to do about it.
 * Programs look at `code`, never at the text.
 */
export class GracefulRunError extends Error {
  override readonly name = 'GracefulRunError';
  readonly code: ErrorCode;
  readonly hint: string | null;
  /** For `planInvalid`, everything that is wrong with the plan; otherwise empty. */
  readonly problems: readonly PlanProblem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; problems?: readonly PlanProblem[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? null;
    this.problems = options.problems ?? [];
  }
}

/** Returns the system's own code (`ENOENT`, `EADDRINUSE` …) of an error that Node.js raised, or null. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** Returns the message of a caught value, in one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
