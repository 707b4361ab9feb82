/** How a fatal error looks in a terminal: one line, and one more with the hint. */
import { GracefulRunError, messageOf, systemCode } from './errors.ts';
import { shortageHint } from './shortage.ts';

/**
 * "graceful-run: cannot X: reason", and the hint in a line of its own. Anything but a GracefulRunError is either a
 * machine that has run out of something or a bug in graceful-run, and the text says which; none shows a stack trace. No final
 * line break.
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
