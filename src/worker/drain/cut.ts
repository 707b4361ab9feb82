/** The end of a drain that has run out of time: whatever is open, is closed. Bounded, and counted here. */
import type { Connections } from '../connections.ts';
import type { Exchanges } from '../exchanges.ts';
import type { Terminate } from './terminator.ts';

/** How long a response that is being written may still take. The master kills 2 s after the deadline. */
export const graceMs = 500;

/** Closes every connection; resolves to how many were cut: all but those whose response was finished meanwhile. */
export async function cutConnections(
  connections: Connections,
  exchanges: Exchanges,
  terminator: Promise<Terminate>,
): Promise<number> {
  // Those that Node.js has ended already are only waiting for the client.
  const openAtDeadline = connections.open().filter(({ writableEnded }) => !writableEnded).length;
  const http1 = connections.http1();
  const inFlight = http1.filter(({ socket }) => exchanges.isInFlight(socket));

  await Promise.race([terminator.then((terminate) => terminate(http1, graceMs)), wait(2 * graceMs)]);

  const finished = inFlight.filter(({ socket }) => !exchanges.isInFlight(socket)).length;
  for (const socket of connections.open()) socket.destroy();
  return openAtDeadline - finished;
}

/** The timer keeps the process alive: nothing else has to. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
