/** Streams output of workers to one reader: an NDJSON answer, written no faster than it is read. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { LogRecord } from '../../shared/control-api.ts';

/** Streams the records. Aborts `reader` when the client disconnects, and ends the answer after the last record. Never rejects. */
export async function streamLogs(
  response: ServerResponse,
  records: AsyncIterable<LogRecord>,
  reader: AbortController,
): Promise<void> {
  response.once('close', () => {
    reader.abort();
  });
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  try {
    for await (const record of records) {
      if (response.destroyed || response.writableEnded) break;
      if (!response.write(`${JSON.stringify(record)}\n`))
        await once(response, 'drain', { signal: reader.signal });
    }
    response.end();
  } catch {
    // The client is gone, or a file cannot be read: a client that is still there sees that the answer is incomplete.
    response.destroy();
  }
}
