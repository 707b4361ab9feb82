/**
 * A screen that is drawn again and again, in a terminal, until q or Ctrl-C. It owns the state of the terminal: however it ends, the terminal is as it
 * was.
 */

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** How often the screen is drawn. */
const everyMs = 1_000;

/** The keys that end it: q, and Ctrl-C and Ctrl-D as raw mode delivers them. */
const endKeys = ['q', 'Q', '\u0003', '\u0004'];

const alternateScreen = { enter: '\u001B[?1049h', leave: '\u001B[?1049l' };
const cursor = { hide: '\u001B[?25l', show: '\u001B[?25h', home: '\u001B[H' };
/** Line wrapping. While it is off, the terminal cuts text that is wider than a line. */
const wrap = { off: '\u001B[?7l', on: '\u001B[?7h' };
const clear = { lineEnd: '\u001B[K', below: '\u001B[J' };

/** The size to assume if the terminal does not know its own, the same as in ncurses. */
const usualSize: Size = { columns: 80, rows: 24 };

/** True if there is a terminal to draw in. */
export function hasScreen(): boolean {
  return process.stdout.isTTY;
}

/** Returns the size of the terminal. A serial console, and a pseudo-terminal without a window, report 0 columns and 0 rows. */
export function screenSize(): Size {
  const { columns, rows } = process.stdout;
  return {
    columns: columns > 0 ? columns : usualSize.columns,
    rows: rows > 0 ? rows : usualSize.rows,
  };
}

/**
 * Shows what `draw` returns, and draws again every second and when the size of the terminal changes. `draw` must not reject. Resolves when the user
 * ends it by a key or Ctrl-C; a drawing that is not ready by then is no longer wanted, and its signal is aborted. SIGTERM and SIGHUP restore the
 * terminal and end the process.
 */
export async function showLive(draw: (size: Size, signal: AbortSignal) => Promise<string>): Promise<void> {
  const { stdin, stdout } = process;
  let wake = (): void => undefined;
  let drawing = new AbortController();
  let resizes = 0;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    drawing.abort();
    wake();
  };
  const readKey = (text: string): void => {
    if (endKeys.some((key) => text.includes(key))) end();
  };
  const killed = (signal: NodeJS.Signals): void => {
    leave();
    process.kill(process.pid, signal);
  };
  const redraw = (): void => {
    resizes += 1;
    wake();
  };
  const signals = ['SIGTERM', 'SIGHUP'] as const;

  stdout.write(alternateScreen.enter + cursor.hide + wrap.off);
  stdout.on('resize', redraw);
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.setEncoding('utf8');
    stdin.on('data', readKey);
    stdin.resume();
  }
  // Without raw mode, Ctrl-C is a signal.
  process.on('SIGINT', end);
  for (const signal of signals) process.once(signal, killed);

  function leave(): void {
    stdout.off('resize', redraw);
    if (stdin.isTTY) {
      stdin.off('data', readKey);
      stdin.setRawMode(false);
      stdin.pause();
    }
    process.off('SIGINT', end);
    for (const signal of signals) process.off(signal, killed);
    stdout.write(wrap.on + cursor.show + alternateScreen.leave);
  }

  try {
    // An endless loop, because `isOver` changes while the loop waits.
    for (;;) {
      const resizesBefore = resizes;
      // Each drawing has its own: a signal that lives longer would keep something of every request that it is given to.
      drawing = new AbortController();
      const text = await Promise.race([draw(screenSize(), drawing.signal), aborted(drawing.signal)]);
      if (text === null || hasEnded()) break;
      const lines = text.replace(/\n$/, '').split('\n').slice(0, screenSize().rows);
      stdout.write(cursor.home + lines.map((line) => line + clear.lineEnd).join('\n') + clear.below);
      if (resizes > resizesBefore) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (hasEnded()) break;
    }
  } finally {
    leave();
  }

  function hasEnded(): boolean {
    return isOver;
  }
}

/** Resolves to null when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve(null);
      },
      { once: true },
    );
  });
}
