/** The session that this process is in, as /proc tells it. */
import { readProcessStat } from '../../shared/process-stat.ts';

export interface Session {
  /** The pid of the process that began the session: in a terminal, the shell. */
  readonly leader: number;
  /** Whether the session has a controlling terminal that has not been closed. */
  readonly hasTerminal: boolean;
}

/** Reads the session of this process; null if there is no /proc. */
export function readSession(): Session | null {
  const stat = readProcessStat('self');
  return stat === null ? null : { leader: stat.session, hasTerminal: stat.terminal !== 0 };
}
