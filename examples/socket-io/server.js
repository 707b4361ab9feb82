// socket.io does not give out the state of a connection, so a reload closes its connections gradually, and the clients reconnect.
//   node bin/graceful-run.cjs --port 10086 -- node examples/socket-io/server.js
//   node examples/socket-io/client.js                                               and kill -HUP the master
// The client sends its last count, so the count continues from there.
import { createServer } from 'node:http';
import { graceful } from 'graceful-run';
import { Server } from 'socket.io';

const worker = graceful();
const server = createServer();
const io = new Server(server);

io.on('connection', (socket) => {
  let count = socket.handshake.auth.count ?? 0;
  const timer = setInterval(() => {
    count += 1;
    socket.emit('count', count, process.pid);
  }, 100);
  socket.on('disconnect', () => clearInterval(timer));
});

// graceful-run closes WebSockets with 1001. A client that uses long polling is closed here, by the response that it waits for.
worker.onDrain(
  () => {
    for (const client of Object.values(io.engine.clients)) {
      if (client.transport.name === 'polling') client.close();
    }
  },
  { when: 'first' },
);

await worker.listen(server, { port: Number(process.env.PORT ?? 10086) });
