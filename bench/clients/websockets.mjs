// A process with WebSocket clients that send numbers and expect each of them back, in order, with a count that continues. A client that is
// disconnected reconnects at once. It gets `{ url, clients, everyMs }` and later `stop` by IPC; it sends `open` when all are connected, and at
// the end its counts.
import { WebSocket } from 'ws';

const seen = { closed: 0, sent: 0, echoed: 0, outOfOrder: 0, lostState: 0 };
/** The open connections, each with the timer that sends. */
const connections = new Map();
const reopenAfterMs = 20;
/** How long to wait at the end for messages on their way. */
const lastAnswersMs = 1_000;
let isOver = false;

function connect({ url, everyMs }, opened) {
  const socket = new WebSocket(url);
  let sent = 0;
  let echoed = 0;
  socket.on('open', () => {
    opened();
    const send = () => {
      sent += 1;
      seen.sent += 1;
      socket.send(String(sent));
    };
    connections.set(socket, setInterval(send, everyMs));
  });
  socket.on('message', (data) => {
    const [count, message] = String(data).split(' ');
    seen.echoed += 1;
    echoed += 1;
    if (Number(message) !== echoed) seen.outOfOrder += 1;
    if (Number(count) !== echoed) seen.lostState += 1;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearInterval(connections.get(socket));
    connections.delete(socket);
    if (isOver) return;
    seen.closed += 1;
    setTimeout(connect, reopenAfterMs, { url, everyMs }, () => undefined);
  });
}

function begin(order) {
  let missing = order.clients;
  const opened = () => {
    missing -= 1;
    if (missing === 0) process.send('open');
  };
  for (let at = 0; at < order.clients; at += 1) connect(order, opened);
}

function stop() {
  isOver = true;
  for (const timer of connections.values()) clearInterval(timer);
  setTimeout(() => {
    for (const socket of connections.keys()) socket.close();
    process.send(seen);
  }, lastAnswersMs);
}

process.on('message', (order) => (order === 'stop' ? stop() : begin(order)));
process.once('disconnect', () => process.exit());
process.send('listening');
