// The smallest possible server, for which the overhead of a tool is largest.
const http = require('node:http');

http.createServer((request, response) => response.end(String(process.pid))).listen(process.env.PORT);
