// A custom protocol: the server numbers the lines of each client. Connections survive every reload:
//   node bin/graceful-run.cjs --port 10086 -- node examples/line-protocol/server.js
//   nc localhost 10086                                                        and kill -HUP the master
// The count and an incomplete line move with the connection.
import { createServer } from 'node:net';
import { graceful } from 'graceful-run';

const worker = graceful();
const clients = new Map();

function attend(socket, client) {
  clients.set(socket, client);
  // One byte per character, so that no part of a character stays behind in a decoder.
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    const lines = (client.rest + text).split('\n');
    client.rest = lines.pop();
    for (const line of lines) {
      client.count += 1;
      socket.write(`${client.count} ${line}, says pid ${process.pid}\n`, 'latin1');
    }
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clients.delete(socket));
}

worker.onAdopt('lines', attend);

async function move(socket, client) {
  try {
    // `state` is called when the new worker holds the connection and this one no longer reads from it.
    await worker.migrate(socket, { to: 'lines', state: () => client });
  } catch {
    // No worker adopts it: at a stop, with --no-migrate, or if the new release has no handler for 'lines'.
    socket.end('bye\n');
  }
}

worker.onDrain(() => Promise.all([...clients].map(([socket, client]) => move(socket, client))), {
  when: 'first',
});

const server = createServer((socket) => attend(socket, { count: 0, rest: '' }));
await worker.listen(server, { port: Number(process.env.PORT ?? 10086) });
