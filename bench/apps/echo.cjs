// WebSockets that answer each message with the number of messages so far: `<count> <message>`. With graceful-run's adapter, a connection that
// moves to another process takes its count along; without it, connections stay.
const { createRequire } = require('node:module');
const { WebSocketServer } = require('ws');

exports.attachEcho = (server) => {
  const sockets = new WebSocketServer({ server, path: '/ws' });
  const counts = new WeakMap();
  const serve = (socket, count) => {
    counts.set(socket, count);
    socket.on('error', () => undefined);
    socket.on('message', (message) => {
      const next = counts.get(socket) + 1;
      counts.set(socket, next);
      socket.send(`${next} ${message}`);
    });
  };
  sockets.on('connection', (socket) => serve(socket, 0));
  if (process.env.GRACEFUL_RUN_GENERATION !== undefined) {
    makeMigratable(sockets, { save: (socket) => counts.get(socket) ?? 0, restore: serve });
  }
  return sockets;
};

/** Passes the WebSockets to graceful-run's adapter. A release without the adapter leaves them where they are. */
function makeMigratable(sockets, state) {
  const fromRoot = createRequire(require.resolve('../../package.json'));
  let adapter;
  try {
    adapter = fromRoot.resolve('graceful-run/ws');
  } catch {
    return;
  }
  fromRoot(adapter).migratable(sockets, state);
}
