/** The session that this process is in, as /proc tells it. */
import { readFileSync } from 'node:fs';

export interface Session {
  /** The pid of the process that the session began with: in a terminal, the shell. */
  readonly leader: number;
  /** It has a controlling terminal, which has not been closed. */
  readonly hasTerminal: boolean;
}

/** Null where there is no /proc. */
export function readSession(): Session | null {
  try {
    // proc_pid_stat(5): the second field is a name that may contain anything; the sixth is the session, the seventh the terminal.
    const text = readFileSync('/proc/self/stat', 'latin1');
    const [, , , leader, terminal] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { leader: Number(leader), hasTerminal: Number(terminal) !== 0 };
  } catch {
    return null;
  }
}
