// A server whose clients may be silent for long, without being forgotten.
const http = require('node:http');

http
  .createServer({ keepAliveTimeout: 600_000 }, (request, response) => response.end(String(process.pid)))
  .listen(process.env.PORT);
