/**
 * A process that sends requests at a fixed rate, and measures from the time at which a request was due, not from when it could be sent: a
 * late response delays the requests behind it, as it does for users. It gets one IPC message with its orders, and sends one with the result.
 */
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { openConnection, type StrictConnection } from '../../test/helpers/strict-connection.ts';
import type { PacedOrder, PacedReport } from './paced-order.ts';

const timeoutMs = 10_000;
const request = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';

process.once('message', (order: PacedOrder) => {
  void run(order).then((report) => {
    process.send?.(report);
    process.disconnect();
  });
});
process.once('disconnect', () => process.exit());
process.send?.('listening');

async function run({ port, clients, everyMs, durationMs }: PacedOrder): Promise<PacedReport> {
  const latencies: number[] = [];
  let failed = 0;
  const beginning = performance.now();

  async function client(offsetMs: number): Promise<void> {
    let connection: StrictConnection | null = null;
    for (let dueMs = beginning + offsetMs; dueMs < beginning + durationMs; dueMs += everyMs) {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await pause(waitMs);
      if (connection === null || connection.ending() !== null) {
        const opened = await openConnection(() => net.connect(port, '127.0.0.1'), 'connect', timeoutMs);
        if ('detail' in opened) {
          failed += 1;
          continue;
        }
        connection = opened;
      }
      // A timer may fire a fraction of a millisecond early, and a latency is never negative.
      const sinceMs = Math.min(dueMs, performance.now());
      const answer = await connection.ask(request, timeoutMs);
      if (answer.kind === 'answered') latencies.push(performance.now() - sinceMs);
      else failed += 1;
      if (answer.kind !== 'answered' || answer.response.isLast) {
        connection.close();
        connection = null;
      }
    }
    connection?.close();
  }

  await Promise.all(Array.from({ length: clients }, (_, at) => client((at * everyMs) / clients)));
  return { latencies, failed };
}
