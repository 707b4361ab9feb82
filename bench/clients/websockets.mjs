// A process of its own with WebSocket clients that send numbers and want each of them back, in order, with a count that goes on
// where it was. Who is disconnected comes back at once. Told by IPC: `{ url, clients, everyMs }`, then `stop`; answers
// `open` when all are there, and in the end what it has seen. It must not know who serves.
import { WebSocket } from 'ws';

const seen = { closed: 0, sent: 0, echoed: 0, outOfOrder: 0, lostState: 0 };
/** The connections that are open, each with the timer that sends. */
const connections = new Map();
const reopenAfterMs = 20;
/** What is under way in the end has a moment to come back. */
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
