// Server-sent events: a reload ends each stream after a complete event, and the browser continues with the next event at the new worker.
//   node bin/graceful-run.cjs --port 10086 -- node examples/sse/server.js
//   curl -N localhost:10086                                                         and kill -HUP the master
import { createServer } from 'node:http';
import { graceful } from 'graceful-run';

const worker = graceful();
/** Clients reconnect at random moments within this time. */
const spreadMs = 1_000;

const server = createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  // An EventSource sends this header when it reconnects.
  let id = Number(request.headers['last-event-id'] ?? 0);
  const timer = setInterval(() => {
    id += 1;
    response.write(`id: ${id}\ndata: ${id} from ${process.pid}\n\n`);
  }, 100);
  const end = () => response.end(`retry: ${Math.floor(Math.random() * spreadMs)}\n\n`);
  // The drain may have begun before this request was handled.
  if (worker.signal.aborted) end();
  worker.signal.addEventListener('abort', end);
  response.on('close', () => {
    clearInterval(timer);
    worker.signal.removeEventListener('abort', end);
  });
});

await worker.listen(server, { port: Number(process.env.PORT ?? 10086) });
