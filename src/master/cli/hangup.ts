/**
 * Whether a SIGHUP says that the terminal ends, or asks for a reload. Pure: what is known about the terminal comes from ./controlling-terminal.ts.
 * The kernel and the shell send that signal at the end of a terminal, just before it or just after, and kill(1) sends it at any time.
 */

export type Hangup = 'reload' | 'stop' | 'wait';

export interface Terminal {
  /** Whether the process had a controlling terminal when it was started, and stdin, stdout or stderr was a terminal. */
  readonly wasStartedInOne: boolean;
  /** Whether the terminal still exists. */
  readonly isThere: boolean;
  /** The shell with which the terminal's session began. `self`: it is this process. */
  readonly shell: 'self' | 'runs' | 'unknown' | { readonly endedMs: number };
}

/** How long a shell may take to end after it has signalled its jobs, or the signal to arrive after the shell's end. */
export const hangupMs = 500;

/** What a SIGHUP that arrived `waitedMs` ago asks for. `wait`: it cannot be told yet; ask again soon. */
export function readHangup({ wasStartedInOne, isThere, shell }: Terminal, waitedMs: number): Hangup {
  // The process runs under systemd, after setsid or nohup, or with everything redirected: the end of a terminal does not concern it.
  if (!wasStartedInOne) return 'reload';
  // A shell that ended long ago has left this process behind on purpose (disown). It cannot have sent the signal now.
  if (typeof shell === 'object') return shell.endedMs - waitedMs > hangupMs ? 'reload' : 'stop';
  if (!isThere) return 'stop';
  // bash with huponexit, and zsh, send the signal first; the terminal ends some milliseconds later.
  return shell === 'runs' && waitedMs < hangupMs ? 'wait' : 'reload';
}
