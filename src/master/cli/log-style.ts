/** How text is written to a descriptor: for people if it is a terminal, otherwise for programs; with colours if the terminal has them. */
import { WriteStream, isatty } from 'node:tty';
import type { LogFormat } from '../config/plan.ts';

export interface ConsoleLook {
  readonly format: LogFormat;
  readonly hasColours: boolean;
}

/**
 * The style for stdout or stderr. `wanted`: the format that was asked for; null if none was. It does not touch process.stderr, which would change a pipe
 * that the workers share.
 */
export function consoleLook(
  fd: 1 | 2,
  wanted: LogFormat | null,
  environment: NodeJS.ProcessEnv,
): ConsoleLook {
  const isTerminal = isatty(fd);
  return {
    format: wanted ?? (isTerminal ? 'pretty' : 'json'),
    // getColorDepth() knows NO_COLOR, FORCE_COLOR and dumb terminals, and only reads the environment. 1 bit means no colour.
    hasColours: isTerminal && WriteStream.prototype.getColorDepth(environment) > 1,
  };
}
