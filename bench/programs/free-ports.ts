/** Finds ports for many programs. */
import net from 'node:net';
import { once } from 'node:events';

/** The first port to try. It is below the range from which the kernel takes ports of outgoing connections. */
const lowest = 10_000;
const highest = 32_000;

/** Returns the first of `count` consecutive ports that are all free. */
export async function freePorts(count: number): Promise<number> {
  for (let first = lowest; first + count < highest; first += count) {
    if (await areFree(first, count)) return first;
  }
  throw new Error(`there are no ${count} consecutive free ports between ${lowest} and ${highest}`);
}

async function areFree(first: number, count: number): Promise<boolean> {
  const servers = Array.from({ length: count }, (_, at) =>
    net.createServer().listen(first + at, '127.0.0.1'),
  );
  const bound = await Promise.all(
    servers.map((server) =>
      once(server, 'listening').then(
        () => true,
        () => false,
      ),
    ),
  );
  await Promise.all(
    servers.map(async (server) => {
      if (server.listening) await new Promise((closed) => server.close(closed));
    }),
  );
  return bound.every(Boolean);
}
