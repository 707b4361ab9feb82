/** What the commands write to. It owns the two streams and the colours; it must not know what is written. */
import { styleText } from 'node:util';
import { plain, type Styles } from './status-table.ts';

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly styles: Styles;
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
    // hasColors() knows NO_COLOR, FORCE_COLOR and dumb terminals.
    styles: process.stdout.isTTY && process.stdout.hasColors() ? colours : plain,
  };
}

const colours: Styles = {
  good: (text) => styleText('green', text),
  bad: (text) => styleText('red', text),
  dim: (text) => styleText('dim', text),
};
