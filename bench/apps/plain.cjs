// The least that a server can be: whatever stands in front of it weighs most here.
const http = require('node:http');

http.createServer((request, response) => response.end(String(process.pid))).listen(process.env.PORT);
