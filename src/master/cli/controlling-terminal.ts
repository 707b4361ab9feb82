/**
 * The terminal that this process was started in, and whether it still exists. Made when the
 * process starts: later, that terminal can no longer be determined.
 */
import { isatty } from 'node:tty';
import { systemClock } from '../../shared/clock.ts';
import { processExists } from '../../shared/is-running.ts';
import { readSession } from '../process/session.ts';
import { watchEnd } from '../process/watch-process-end.ts';
import type { Terminal } from './hangup.ts';

const noTerminal: Terminal = { wasStartedInOne: false, isThere: false, shell: 'unknown' };

/** Returns a function that tells the current state of the terminal. Never rejects. */
export async function watchTerminal(): Promise<() => Terminal> {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  const session = readSession();
  if (terminals.length === 0 || session?.hasTerminal === false) return () => noTerminal;
  // Without /proc: after the end of a terminal, tcgetattr(3) fails with EIO.
  const isThere = (): boolean => readSession()?.hasTerminal ?? terminals.some((fd) => isatty(fd));
  let shell: 'self' | 'runs' | 'unknown' = 'unknown';
  let endedAt: number | null = null;
  if (session?.leader === process.pid) shell = 'self';
  else if (session !== null && processExists(session.leader)) {
    const unwatch = await watchEnd(session.leader, () => {
      endedAt = systemClock.monotonicMs();
    });
    if (unwatch !== null) shell = 'runs';
  }
  return () => ({
    wasStartedInOne: true,
    isThere: isThere(),
    shell: endedAt === null ? shell : { endedMs: systemClock.monotonicMs() - endedAt },
  });
}
