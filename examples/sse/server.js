// Server-sent events: a reload ends each stream after a whole event, and the browser goes on where it was, at the new worker.
//   node bin/graceful-run.cjs --port 10086 -- node examples/sse/server.js
//   curl -N localhost:10086                                                         and kill -HUP the master
import { createServer } from 'node:http';
import { graceful } from 'graceful-run';

const worker = graceful();
/** Clients come back within this time, each at another moment. */
const spreadMs = 1_000;

const server = createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  // What an EventSource says when it comes back.
  let id = Number(request.headers['last-event-id'] ?? 0);
  const timer = setInterval(() => {
    id += 1;
    response.write(`id: ${id}\ndata: ${id} from ${process.pid}\n\n`);
  }, 100);
  const end = () => response.end(`retry: ${Math.floor(Math.random() * spreadMs)}\n\n`);
  // Also for one that was asked for while the drain was about to begin.
  if (worker.signal.aborted) end();
  worker.signal.addEventListener('abort', end);
  response.on('close', () => {
    clearInterval(timer);
    worker.signal.removeEventListener('abort', end);
  });
});

await worker.listen(server, { port: Number(process.env.PORT ?? 10086) });
