// A server with a long keep-alive timeout, so that idle connections stay open.
const http = require('node:http');

http
  .createServer({ keepAliveTimeout: 600_000 }, (request, response) => response.end(String(process.pid)))
  .listen(process.env.PORT);
