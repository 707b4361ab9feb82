// The application of every Node.js tool in the comparison: `/` responds with the worker's pid, to a POST once its body is read; `/slow` takes
// 1.5 s; `/ws` counts and echoes if BENCH_WEBSOCKETS is set.
const http = require('node:http');

const slowMs = 1_500;
const pid = String(process.pid);

/** Creates the server; it does not listen yet. */
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
 * The usual shutdown: stops accepting, closes WebSockets, completes the requests in flight, and cuts connections that are still busy after
 * 2 s. Calls `done` when the last connection is closed.
 */
exports.closeGracefully = (server, done) => {
  server.close(done);
  for (const socket of server.sockets?.clients ?? []) socket.close(1001);
  setTimeout(() => server.closeAllConnections(), patienceMs).unref();
};
