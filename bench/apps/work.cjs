// What every Node.js tool of the comparison serves: `/` says the worker's pid, a POST too once it was read whole, `/slow`
// takes 1.5 s, and where BENCH_WEBSOCKETS is set `/ws` counts and echoes. It must not know which tool runs it.
const http = require('node:http');

const slowMs = 1_500;
const pid = String(process.pid);

/** A server that does not listen yet. */
exports.createWork = () => {
  const server = http.createServer((request, response) => {
    if (request.url === '/slow') setTimeout(() => response.end(pid), slowMs);
    else if (request.method === 'POST') request.resume().on('end', () => response.end(pid));
    else response.end(pid);
  });
  server.sockets = process.env.BENCH_WEBSOCKETS === '1' ? require('./echo.cjs').attachEcho(server) : null;
  return server;
};

const patienceMs = 2_000;

/**
 * The usual way out: nobody new, WebSockets are told to go, what is in flight is finished, and whoever still keeps a
 * connection busy after 2 s is cut. Calls `done` when the last connection is gone.
 */
exports.closeGracefully = (server, done) => {
  server.close(done);
  for (const socket of server.sockets?.clients ?? []) socket.close(1001);
  setTimeout(() => server.closeAllConnections(), patienceMs).unref();
};
