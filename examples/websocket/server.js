// A chat whose connections survive every reload:
//   node bin/graceful-run.cjs --port 10086 -- node examples/websocket/server.js     and open http://localhost:10086
// All lines are in a file. Each connection stores how much of it the client has, and only that number moves with the connection. So no client
// misses a line or gets it twice, although for a moment two workers hold connections of the same chat.
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

/** The number of bytes of the log that each client has. */
const read = new WeakMap();

function tell(ws) {
  const news = readFileSync(log).subarray(read.get(ws));
  const lines = news.subarray(0, news.lastIndexOf('\n') + 1);
  read.set(ws, read.get(ws) + lines.length);
  if (lines.length > 0) ws.send(lines.toString());
}

function attend(ws, request, offset) {
  read.set(ws, offset);
  const name = new URL(request.url, 'http://chat').searchParams.get('name') ?? 'anonymous';
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
