/** What a request waits for: a server that answers only when it is opened. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Gate {
  readonly port: number;
  /** Resolves when the first connection has arrived: a request is in flight. */
  readonly reached: Promise<unknown>;
  /** Answers whoever waits, and those that come later. */
  open(): void;
}

/** The answer is one of HTTP, so that a proxy may wait, too. Others may read one byte. */
const answer =
  'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';

export async function startGate(): Promise<Gate> {
  const waiting = new Set<net.Socket>();
  let isOpen = false;
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined).resume();
    if (isOpen) socket.end(answer);
    else waiting.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of waiting) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    reached: once(server, 'connection'),
    open() {
      isOpen = true;
      for (const socket of waiting) socket.end(answer);
    },
  };
}
