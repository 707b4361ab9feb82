// Answers every datagram in capitals. Reloads lose none:
//   node bin/graceful-run.cjs --listen udp:127.0.0.1:10053 -- node examples/udp/server.js
//   nc -u 127.0.0.1 10053                                                     and kill -HUP the master
// There is nothing of graceful-run in it.
import { createSocket } from 'node:dgram';

const server = createSocket('udp4');
server.on('message', (message, { port, address }) => {
  server.send(`${String(message).trimEnd().toUpperCase()}, says pid ${process.pid}\n`, port, address);
});
server.bind(Number(process.env.PORT ?? 10053), process.env.HOST ?? '127.0.0.1');
