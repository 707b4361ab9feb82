/** Renders a fatal error for a terminal: one line, and one more with the hint. */
import { GracefulRunError, messageOf, systemCode } from './errors.ts';
import { shortageHint } from './shortage.ts';

/**
 * Returns "graceful-run: cannot X: reason", and the hint in a line of its own. An error that is no GracefulRunError means that the machine has run
 * out of something, or a bug in graceful-run, and the text says which. A stack trace is never shown. There is no final line break.
 */
export function renderError(error: unknown, program: string): string {
  if (!(error instanceof GracefulRunError)) {
    return withHint(
      `${program}: cannot continue: ${oneLine(messageOf(error))}`,
      shortageHint(systemCode(error)) ??
        `this is a bug in ${program}: please report it with the command you ran`,
    );
  }
  return withHint(`${program}: ${oneLine(error.message)}`, error.hint);
}

function withHint(line: string, hint: string | null): string {
  return hint === null ? line : `${line}\n  hint: ${oneLine(hint)}`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}
