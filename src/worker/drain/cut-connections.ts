/** The end of a drain at its deadline: closes every connection that is still open. */
import type { Tracking } from '../tracking/tracking.ts';
import { endsWithin } from './bounded-wait.ts';
import { unfinishedNow, type Unfinished } from './drain-report.ts';
import type { Terminate } from './http-terminator.ts';

/** How long a response that is being written may still take. The master kills 2 s after the deadline. */
const graceMs = 500;

/** Closes the connections, and resolves to what was cut. A connection whose response is completed within the grace time does not count as cut. */
export async function cutConnections(
  tracking: Pick<Tracking, 'connections' | 'requests'>,
  terminator: Promise<Terminate>,
): Promise<Unfinished> {
  const { connections, requests } = tracking;
  const atDeadline = unfinishedNow(tracking);
  const http1 = requests.http1();
  const inFlight = requests.inFlight();
  // The wait is bounded, because loading the package may take long.
  await endsWithin(
    2 * graceMs,
    terminator.then((terminate) => terminate(http1, graceMs)),
  );
  const unanswered = inFlight.filter(({ socket }) => requests.isInFlight(socket)).length;
  for (const socket of connections.open()) socket.destroy();
  const answered = inFlight.length - unanswered;
  return { connections: atDeadline.connections - answered, requests: unanswered };
}
