// socket.io, which keeps the state of a connection to itself: a reload tells its clients to come back, over time, and they do.
//   node bin/graceful-run.cjs --port 10086 -- node examples/socket-io/server.js
//   node examples/socket-io/client.js                                               and kill -HUP the master
// The client says how far it has counted, so it goes on there.
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

// graceful-run closes WebSockets with 1001. A client that polls hears of it in the answer that it waits for.
worker.onDrain(
  () => {
    for (const client of Object.values(io.engine.clients)) {
      if (client.transport.name === 'polling') client.close();
    }
  },
  { when: 'first' },
);

await worker.listen(server, { port: Number(process.env.PORT ?? 10086) });
