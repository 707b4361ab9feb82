// A protocol of one's own: it numbers the lines that a client says. Its connections live through every reload:
//   node bin/graceful-run.cjs --port 10086 -- node examples/line-protocol/server.js
//   nc localhost 10086                                                        and kill -HUP the master
// The number, and the half of a line that has come already, move along with the connection.
import { createServer } from 'node:net';
import { graceful } from 'graceful-run';

const worker = graceful();
const clients = new Map();

function attend(socket, client) {
  clients.set(socket, client);
  // A byte is a character: no half of one is left behind in a decoder.
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
    // Asked when the new worker holds the connection, and nothing is read here any more.
    await worker.migrate(socket, { to: 'lines', state: () => client });
  } catch {
    // Nobody takes it: a stop, --no-migrate, or a release that does not know 'lines'.
    socket.end('bye\n');
  }
}

worker.onDrain(() => Promise.all([...clients].map(([socket, client]) => move(socket, client))), {
  when: 'first',
});

const server = createServer((socket) => attend(socket, { count: 0, rest: '' }));
await worker.listen(server, { port: Number(process.env.PORT ?? 10086) });
