/** The output of the commands: this file owns the two streams and the colours. */
import { once } from 'node:events';
import { messageOf, systemCode } from '../shared/errors.ts';
import { colourPaint } from '../shared/paint.ts';
import { exitCodes } from './ctl-exit-codes.ts';
import { plain, type Styles } from './show/status-view.ts';

export interface Terminal {
  readonly out: (text: string) => void;
  /** Like `out`, but resolves when more can be written without filling the memory. */
  readonly outSlowly: (text: string) => Promise<void>;
  readonly err: (text: string) => void;
  /** The colours of `out`. */
  readonly styles: Styles;
  /** The width of a line of `out`; null for any width, because no terminal shows it. */
  readonly columns: number | null;
  /** Whether stderr is a terminal, on which a person sees at once what is written. */
  readonly isInteractive: boolean;
  /** The colours of `err`. */
  readonly errStyles: Styles;
}

/** The streams of the process itself. */
export interface OwnTerminal extends Terminal {
  /** Makes the process continue if stdout is lost: its exit code has to tell how the command ended. */
  readonly outliveStdout: () => void;
}

/**
 * Opens the process's own streams. If the reader of stdout has gone (`
 * head`), the process ends without a message. If stdout cannot be written for another reason, such as a full disk, the process reports that on stderr
 * and exits with 1.
 */
export function openTerminal(): OwnTerminal {
  let isLost = false;
  let needsStdout = true;
  process.stdout.on('error', (error: Error) => {
    // Reported once: each line that was written before the first error was reported has an error of its own.
    if (!isLost && systemCode(error) !== 'EPIPE') {
      // The command sets its exit code after this.
      process.once('exit', () => {
        process.exitCode = exitCodes.failed;
      });
      process.stderr.write(`gracefulctl: cannot write to stdout: ${messageOf(error)}\n`);
    }
    isLost = true;
    if (needsStdout) process.exit();
  });
  // Without a listener the error would end the process. There is nowhere to report it.
  process.stderr.on('error', () => undefined);
  return {
    outliveStdout: () => {
      needsStdout = false;
    },
    out: (text) => {
      if (!isLost) process.stdout.write(text);
    },
    outSlowly: async (text) => {
      if (!isLost && !process.stdout.write(text)) await once(process.stdout, 'drain');
    },
    err: (text) => {
      process.stderr.write(text);
    },
    columns: columnsOf(process.stdout, process.env['COLUMNS']),
    isInteractive: process.stderr.isTTY,
    styles: stylesOf(process.stdout),
    errStyles: stylesOf(process.stderr),
  };
}

/** Chooses colours or none. hasColors() considers NO_COLOR, FORCE_COLOR and dumb terminals. */
function stylesOf(stream: NodeJS.WriteStream): Styles {
  return stream.isTTY && stream.hasColors() ? colourPaint : plain;
}

/** Returns the width of a line. COLUMNS, if it is set, comes first: a shell passes it on only if it is exported, which is done on purpose. */
function columnsOf(stream: NodeJS.WriteStream, wanted: string | undefined): number | null {
  const columns = Number(wanted);
  if (Number.isInteger(columns) && columns > 0) return columns;
  return stream.isTTY && stream.columns > 0 ? stream.columns : null;
}
