/** The end of a drain that has run out of time: whatever is open, is closed. Bounded, and counted here. */
import type { Tracking } from '../tracking/tracking.ts';
import { unfinishedConnections } from './drain-report.ts';
import type { Terminate } from './http-terminator.ts';

/** How long a response that is being written may still take. The master kills 2 s after the deadline. */
export const graceMs = 500;

/**
 * Closes every connection; resolves to how many were cut, all but those whose response was finished meanwhile, and how many
 * requests were not answered.
 */
export async function cutConnections(
  { connections, requests }: Pick<Tracking, 'connections' | 'requests'>,
  terminator: Promise<Terminate>,
): Promise<{ readonly cut: number; readonly unanswered: number }> {
  const openAtDeadline = unfinishedConnections(connections);
  const http1 = requests.http1();
  const inFlight = requests.inFlight();

  await Promise.race([terminator.then((terminate) => terminate(http1, graceMs)), wait(2 * graceMs)]);

  const unanswered = inFlight.filter(({ socket }) => requests.isInFlight(socket)).length;
  for (const socket of connections.open()) socket.destroy();
  return { cut: openAtDeadline - (inFlight.length - unanswered), unanswered };
}

/** The timer keeps the process alive: nothing else has to. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
