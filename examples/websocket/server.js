// A chat whose connections live through every reload:
//   node bin/graceful-run.cjs --port 10086 -- node examples/websocket/server.js     and open http://localhost:10086
// What was said is in a file, and each connection remembers how far its client has read: that number is all that moves along. So
// nobody misses a line or gets it twice, although for a moment two workers hold the connections of one chat.
import { appendFileSync, readFileSync, statSync, watch } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { graceful } from 'graceful-run';
import { migratable } from 'graceful-run/ws';
import { WebSocketServer } from 'ws';

const log = process.env.CHAT_LOG ?? `${tmpdir()}/graceful-run-chat.log`;
appendFileSync(log, '');

const page = readFileSync(new URL('index.html', import.meta.url));
const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html').end(page);
});
const wss = new WebSocketServer({ server });

/** How much of the log each client has. */
const read = new WeakMap();

function tell(ws) {
  const news = readFileSync(log).subarray(read.get(ws));
  const lines = news.subarray(0, news.lastIndexOf('\n') + 1);
  read.set(ws, read.get(ws) + lines.length);
  if (lines.length > 0) ws.send(lines.toString());
}

function attend(ws, request, offset) {
  read.set(ws, offset);
  const name = new URL(request.url, 'http://chat').searchParams.get('name') ?? 'somebody';
  ws.on('message', (text) => {
    appendFileSync(log, `${name}: ${String(text).replaceAll('\n', ' ')}\n`);
  });
  tell(ws);
}

watch(log, () => {
  for (const ws of wss.clients) if (read.has(ws)) tell(ws);
});
wss.on('connection', (ws, request) => attend(ws, request, statSync(log).size));
migratable(wss, {
  save: (ws) => read.get(ws),
  restore: (ws, offset, request) => attend(ws, request, offset),
});

await graceful().listen(server, { port: Number(process.env.PORT ?? 10086) });
