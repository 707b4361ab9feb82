/** What the commands write to. It owns the two streams and the colours. */
import { colourPaint } from '../shared/paint.ts';
import { plain, type Styles } from './status-table.ts';

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** For `out`. */
  readonly styles: Styles;
  /** Does a person see what is written to stderr at once? */
  readonly isInteractive: boolean;
  /** For `err`. */
  readonly errStyles: Styles;
}

/** The process's own streams. When the reader of stdout has gone (`| head`), the process ends without a word. */
export function openTerminal(): Terminal {
  process.stdout.on('error', () => {
    process.exit();
  });
  return {
    out: (text) => {
      process.stdout.write(text);
    },
    err: (text) => {
      process.stderr.write(text);
    },
    isInteractive: process.stderr.isTTY,
    styles: stylesOf(process.stdout),
    errStyles: stylesOf(process.stderr),
  };
}

/** hasColors() knows NO_COLOR, FORCE_COLOR and dumb terminals. */
function stylesOf(stream: NodeJS.WriteStream): Styles {
  return stream.isTTY && stream.hasColors() ? colourPaint : plain;
}
