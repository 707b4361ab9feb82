/** One follower of the events: an NDJSON answer that lasts until the server or the client ends it. */
import type { ServerResponse } from 'node:http';
import type { EventRecord } from '../../shared/events.ts';

/** How many bytes a follower may leave unread before it is dropped, so that a reader that is stuck does not fill the master's memory. */
const unreadLimitBytes = 1024 * 1024;

/** Streams the events that `subscribe` delivers. The subscription ends with the answer. */
export function streamEvents(
  response: ServerResponse,
  subscribe: (listener: (event: EventRecord) => void) => () => void,
): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  // The client has to know that it follows the events before the first one, which may be hours away.
  response.flushHeaders();
  const unsubscribe = subscribe((event) => {
    if (response.writableEnded || response.destroyed) return;
    response.write(`${JSON.stringify(event)}\n`);
    if (response.writableLength > unreadLimitBytes) response.destroy();
  });
  response.once('close', unsubscribe);
}
