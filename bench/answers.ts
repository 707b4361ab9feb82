/** Polls a server on new connections until a response passes a test. */
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * How often a server is polled: often enough to see the first response soon, and rarely enough not to be a load. During a reload, the old worker
 * answers the polls on the processors on which the new one boots; in a bare boot nothing does.
 */
const pollEveryMs = 4;

/** Resolves to the body of the first response that passes. Each request has its own connection. */
export async function firstAnswer(
  port: number,
  passes: (body: string) => boolean,
  withinMs = 20_000,
  everyMs: number = pollEveryMs,
): Promise<string> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const body = await askOnce(port);
    if (body !== null && passes(body)) return body;
    await pause(everyMs);
  }
  throw new Error(`no such answer on port ${port} within ${withinMs} ms`);
}

/** Returns the body of one response; null if there was none. */
function askOnce(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write('GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n');
    });
    socket.setTimeout(5_000, () => {
      socket.destroy();
    });
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const at = text.indexOf('\r\n\r\n');
      resolve(at < 0 ? null : text.slice(at + 4));
    });
  });
}
