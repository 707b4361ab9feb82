/**
 * Whether a SIGHUP says that the terminal ends, or asks for a reload. Pure: what is known about the terminal comes from ./controlling-terminal.ts.
 * The kernel and the shell send that signal at the end of a terminal, just before it or just after, and kill(1) sends it at any time.
 */

export type Hangup = 'reload' | 'stop' | 'wait';

export interface Terminal {
  /** It had one when it was started, and stdin, stdout or stderr was a terminal. */
  readonly wasStartedInOne: boolean;
  /** It is not gone yet. */
  readonly isThere: boolean;
  /** What the terminal's session began with, the shell. `self`: this process. */
  readonly shell: 'self' | 'runs' | 'unknown' | { readonly endedMs: number };
}

/** So long a shell may take to end after it has sent the signal to its jobs, or the signal to arrive after the shell's end. */
export const hangupMs = 500;

/** What a SIGHUP asks for that has arrived `waitedMs` ago. `wait`: ask again soon. */
export function readHangup({ wasStartedInOne, isThere, shell }: Terminal, waitedMs: number): Hangup {
  // Under systemd, after setsid or nohup, with everything redirected: no end of a terminal concerns it.
  if (!wasStartedInOne) return 'reload';
  // Left behind by a shell that ended long ago: it did not pass its own end on (disown), and is not there to send anything.
  if (typeof shell === 'object') return shell.endedMs - waitedMs > hangupMs ? 'reload' : 'stop';
  if (!isThere) return 'stop';
  // bash with huponexit, or zsh: the signal first, the end of the terminal some milliseconds later.
  return shell === 'runs' && waitedMs < hangupMs ? 'wait' : 'reload';
}
